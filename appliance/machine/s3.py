"""A bucket that speaks S3: signed requests, and what a refusal means."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from appliance.errors import RemoteFailed
from appliance.machine.aws import Answer, Request, sign
from appliance.machine.http import Response, asked

TRIES = 4
MOST = 1 << 20  # bytes of an answer that is no object
CHUNK = 1 << 20
AGAIN = {500, 502, 503, 504}
WORDS = {
    "InvalidAccessKeyId": "the key id is not known there",
    "SignatureDoesNotMatch": "the secret does not belong to the key id",
    "NoSuchBucket": "there is no such bucket",
    "NoSuchKey": "it is not there any more",
    "RequestTimeTooSkewed": "the clock of this host is wrong",
    "AuthorizationHeaderMalformed": "the region is another",
    "PermanentRedirect": "the bucket is at another endpoint",
    "QuotaExceeded": "the quota is used up",
    "EntityTooLarge": "it is too large",
}
MAY = {
    "PUT": "s3:PutObject",
    "POST": "s3:PutObject",
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "DELETE": "s3:DeleteObject",
}


@dataclass(frozen=True)
class Bucket:
    """One bucket, and as whom it is asked."""

    endpoint: str
    region: str
    name: str
    key_id: str
    secret: str = field(repr=False)
    path_style: bool = True
    pause: float = 1.0  # seconds before the second try; each further one waits twice as long

    @property
    def url(self) -> str:
        parts = urlsplit(self.endpoint)
        base = parts.path.rstrip("/")
        if self.path_style:
            return f"{parts.scheme}://{parts.netloc}{base}/{self.name}"
        return f"{parts.scheme}://{self.name}.{parts.netloc}{base}"

    def ask(
        self, method: str, key: str, query: Mapping[str, str] | None = None, body: bytes = b"", **headers: str
    ) -> Answer:
        """A request and its answer; what fails by chance is tried again."""
        for attempt in range(1, TRIES + 1):
            try:
                with self.opened(method, key, query, body, **headers) as response:
                    return Answer({name.lower(): value for name, value in response.getheaders()}, response.read(MOST))
            except RemoteFailed as why:
                if why.permanent or attempt == TRIES:
                    raise
            time.sleep(self.pause * 2 ** (attempt - 1))
        raise AssertionError("unreachable")

    @contextmanager
    def opened(
        self, method: str, key: str, query: Mapping[str, str] | None = None, body: bytes = b"", **headers: str
    ) -> Iterator[Response]:
        """An answer whose body is still to be read; RemoteFailed where it is a refusal."""
        path = quote(f"{urlsplit(self.url).path}/{key}", safe="/-_.~")
        words = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in _sorted(query))
        parts = urlsplit(self.url)
        plain = {"host": parts.netloc, **{name.replace("_", "-"): value for name, value in headers.items()}}
        request = Request(method, path, words, plain, hashlib.sha256(body).hexdigest())
        signed = sign(request, datetime.now(UTC), key_id=self.key_id, secret=self.secret, region=self.region)
        url = f"{parts.scheme}://{parts.netloc}{path}" + (f"?{words}" if words else "")
        with asked(method, url, signed, body) as response:
            if response.status >= 300:
                asked_for = f"{_permission(method, query or {})} on {key or 'the bucket'}"
                raise _refusal(self.url, asked_for, response.status, Answer({}, response.read(MOST)))
            yield response


def _refusal(url: str, asked_for: str, status: int, answer: Answer) -> RemoteFailed:
    """What the other side said, in words, and which permission is missing."""
    code, said = answer.tag("Code"), answer.tag("Message")
    if status in AGAIN or code in ("SlowDown", "RequestTimeout", "InternalError"):
        return RemoteFailed(f"{url} failed ({code or status}).", permanent=False, said=said)
    if code in ("AccessDenied", "AllAccessDisabled") or (status == 403 and not code):
        return RemoteFailed(
            f"{url} refused it: the key may not do {asked_for}.",
            permanent=True,
            code="s3_denied",
            todo=("Allow it for this key there.",),
            said=said,
        )
    why = WORDS.get(code or ("NoSuchKey" if status == 404 else ""), f"it answered {code or status}")
    return RemoteFailed(
        f"{url} refused it: {why}.", permanent=True, code="s3_refused", todo=("Check Settings, Backups.",), said=said
    )


def _permission(method: str, query: Mapping[str, str]) -> str:
    if method == "GET" and "uploads" in query:
        return "s3:ListBucketMultipartUploads"
    if method == "DELETE" and "uploadId" in query:
        return "s3:AbortMultipartUpload"
    return MAY[method]


def _sorted(query: Mapping[str, str] | None) -> list[tuple[str, str]]:
    return sorted((query or {}).items())
