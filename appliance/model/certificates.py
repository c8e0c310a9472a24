"""A URL's certificate: where it comes from, how HTTPS is spoken with it, and how it stands."""

from dataclasses import dataclass, field
from typing import Annotated, Self

from appliance.model.fields import Reader
from appliance.model.places import Place

KINDS = ("off", "acme", "internal", "upload")
STATUSES = ("none", "waiting", "pending", "ok", "failed")
LONGEST_HSTS = 2 * 366 * 86400
LONGEST_PEM = 100_000


@dataclass(frozen=True)
class Https:
    """How a URL is served by HTTPS: by which files, and what is said of HTTP."""

    files: str  # the name of the certificate's and the key's, before their endings
    redirect: bool = False
    hsts: int = 0


@dataclass(frozen=True)
class Certificate:
    """What is known of a URL's certificate. The files are beside the database, not in it."""

    host: str
    tls: str
    redirect: bool
    hsts: int
    status: str
    detail: str = ""
    error: str | None = None
    files: str = ""  # of the one that is in use, or about to be; empty for none
    issuer: str = ""
    expires: str | None = None
    renew_at: str | None = None
    order: str = ""  # at the ACME server, while one is under way
    tries: int = 0  # that failed since the last that didn't
    asked_at: str | None = None  # when the server was asked last when to renew
    project: str = ""
    environment: str = ""
    at: Place = Place(0)

    @property
    def https(self) -> Https | None:
        return Https(self.files, self.redirect, self.hsts) if self.files and self.tls != "off" else None


@dataclass(frozen=True)
class CertificateWish:
    """What somebody wants of a URL's certificate."""

    tls: Annotated[str, "`off`, `acme`, `internal` or `upload`"]
    redirect: Annotated[bool, "Whether HTTP leads to HTTPS, once there is a certificate"] = True
    hsts: Annotated[int, "Seconds for which browsers come back by HTTPS alone; takes `redirect`"] = 0
    chain: Annotated[str, "With `upload`: the host's certificate, then those that vouch for it, as PEM"] = ""
    key: Annotated[str, "With `upload`: its key, as PEM. It is never given back"] = field(default="", repr=False)

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        tls = reader.checked("tls", _kind, missing="Choose off, acme, internal or upload") or ""
        redirect = bool(reader.yes("redirect", default=True))
        hsts = reader.number("hsts", default=0, most=LONGEST_HSTS)
        chain, key = (reader.text(name, most=LONGEST_PEM, optional=True) for name in ("chain", "key"))
        if hsts and not redirect:
            reader.wrong("hsts", "Browsers keep to HTTPS only where HTTP leads there: turn the redirect on too")
        if tls != "upload" and (chain or key):
            reader.wrong("chain" if chain else "key", "A certificate is taken with upload only")
        reader.done()
        return cls(tls, redirect, hsts, chain, key)


def _kind(text: str) -> str:
    if text not in KINDS:
        raise ValueError("Choose off, acme, internal or upload")
    return text
