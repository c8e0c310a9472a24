"""How Amazon's services are asked: requests signed by version 4, answers in a little XML."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape


@dataclass(frozen=True)
class Answer:
    headers: dict[str, str]  # lower-case names
    body: bytes

    def tag(self, name: str) -> str:
        """The text of an XML element; the few that are asked for hold nothing else."""
        return next(iter(self.tags(name)), "")

    def tags(self, name: str) -> list[str]:
        found = re.findall(rb"<%s>([^<]*)</%s>" % (name.encode(), name.encode()), self.body)
        return [unescape(one.decode("utf-8", "replace")) for one in found]

    def inside(self, name: str) -> list["Answer"]:
        """Each element of this name, with what it holds; never one inside another of the same name."""
        found = re.findall(rb"<%s>(.*?)</%s>" % (name.encode(), name.encode()), self.body, re.DOTALL)
        return [Answer({}, one) for one in found]


@dataclass(frozen=True)
class Request:
    """What is signed. The path and the query are escaped already, the query is in order."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    payload: str  # the SHA-256 of the body


def sign(
    request: Request, at: datetime, *, key_id: str, secret: str, region: str, service: str = "s3"
) -> dict[str, str]:
    """The headers with an AWS signature, version 4, of all of them and of the body."""
    moment = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    given = {name.lower(): value.strip() for name, value in request.headers.items()}
    whole = {**given, "x-amz-content-sha256": request.payload, "x-amz-date": moment}
    names = ";".join(sorted(whole))
    lines = "".join(f"{name}:{whole[name]}\n" for name in sorted(whole))
    plain = "\n".join((request.method, request.path, request.query, lines, names, request.payload))
    text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(plain.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    auth = f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**whole, "authorization": auth}
