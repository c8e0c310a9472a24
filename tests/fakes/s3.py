"""An S3-compatible store over a real socket: refuses what isn't signed right, and what a key may not do."""

import hashlib
import hmac
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

KEY_ID, SECRET, REGION, BUCKET = "AKIDHOMEPORT", "a-secret-that-only-the-store-knows", "eu-north-7", "backups"
EVERYTHING = frozenset({"PutObject", "GetObject", "DeleteObject", "AbortMultipartUpload", "ListBucketMultipartUploads"})
LEAST_PART = 5 << 20


@dataclass
class Upload:
    key: str
    parts: dict[int, bytes] = field(default_factory=dict)


class Store:
    """What is in the bucket, and how the store behaves."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, Upload] = {}
        self.allowed = set(EVERYTHING)
        self.failures: list[int] = []  # statuses that the next requests get, whatever they ask for
        self.asked: list[str] = []
        self.hold = threading.Event()  # while it is not set, parts have to wait
        self.hold.set()
        self.part_came = threading.Event()

    def __enter__(self) -> Self:
        store = self

        class Bound(_Handler):
            @property
            def s3(self) -> Store:
                return store

        self._server = _Server(("127.0.0.1", 0), Bound)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hold.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def settings(self, **more: str) -> dict[str, str]:
        """As they are saved in Settings."""
        return {
            "backup_place": "s3",
            "backup_s3_endpoint": self.url,
            "backup_s3_region": REGION,
            "backup_s3_bucket": BUCKET,
            "backup_s3_key_id": KEY_ID,
            "backup_s3_secret": SECRET,
            **more,
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked may be gone by the time of the answer."""


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def s3(self) -> Store:
        raise NotImplementedError

    def do_GET(self) -> None:
        self._answer()

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.s3.asked.append(f"{self.command} {self.path}")
        try:
            if self.s3.failures:
                raise Refused(self.s3.failures.pop(0), "InternalError", "We encountered an internal error.")
            check_signature(self.command, self.path, dict(self.headers.items()), body)
            _, bucket, key = (*unquote(parts.path).split("/", 2), "")[:3]
            if bucket != BUCKET:
                raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
            status, headers, answer = self._act(key, query, body)
        except Refused as why:
            text = f"<Error><Code>{why.code}</Code><Message>{why.message}</Message></Error>"
            status, headers, answer = why.status, {}, text.encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def _act(  # noqa: PLR0911 - one for each request that there is
        self, key: str, query: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        match (self.command, sorted(query)):
            case ("POST", ["uploads"]):
                self._may("PutObject")
                upload_id = f"upload-{len(self.s3.uploads)}-{key[-8:]}"
                self.s3.uploads[upload_id] = Upload(key)
                return 200, {}, f"<X><UploadId>{upload_id}</UploadId></X>".encode()
            case ("PUT", ["partNumber", "uploadId"]):
                self._may("PutObject")
                self.s3.part_came.set()
                self.s3.hold.wait(60)
                self._upload(query, key).parts[int(query["partNumber"])] = body
                return 200, {"ETag": f'"{_md5(body)}"'}, b""
            case ("POST", ["uploadId"]):
                self._may("PutObject")
                return self._complete(key, query, body)
            case ("DELETE", ["uploadId"]):
                self._may("AbortMultipartUpload")
                self._upload(query, key)
                del self.s3.uploads[query["uploadId"]]
                return 204, {}, b""
            case ("GET", ["prefix", "uploads"]):
                self._may("ListBucketMultipartUploads")
                found = "".join(
                    f"<Upload><Key>{one.key}</Key><UploadId>{name}</UploadId></Upload>"
                    for name, one in self.s3.uploads.items()
                    if one.key.startswith(query["prefix"])
                )
                return 200, {}, f"<X>{found}</X>".encode()
            case ("GET" | "HEAD", []):
                self._may("GetObject")
                return 200, {}, self._object(key)
            case ("DELETE", []):
                self._may("DeleteObject")
                self.s3.objects.pop(key, None)
                return 204, {}, b""
        raise Refused(501, "NotImplemented", "A header you provided implies functionality that is not implemented.")

    def _complete(self, key: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        upload = self._upload(query, key)
        named = re.findall(rb"<PartNumber>(\d+)</PartNumber><ETag>([^<]+)</ETag>", body)
        parts = [upload.parts[int(number)] for number, _ in named]
        if [f'"{_md5(part)}"'.encode() for part in parts] != [etag for _, etag in named] or not parts:
            raise Refused(400, "InvalidPart", "One or more of the specified parts could not be found.")
        if any(len(part) < LEAST_PART for part in parts[:-1]):
            raise Refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.")
        self.s3.objects[key] = b"".join(parts)
        del self.s3.uploads[query["uploadId"]]
        whole = _md5(b"".join(bytes.fromhex(_md5(part)) for part in parts))
        return 200, {}, f"<X><ETag>&quot;{whole}-{len(parts)}&quot;</ETag></X>".encode()

    def _upload(self, query: dict[str, str], key: str) -> Upload:
        found = self.s3.uploads.get(query["uploadId"])
        if found is None or found.key != key:
            raise Refused(404, "NoSuchUpload", "The specified multipart upload does not exist.")
        return found

    def _object(self, key: str) -> bytes:
        if key not in self.s3.objects:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        return self.s3.objects[key]

    def _may(self, action: str) -> None:
        if action not in self.s3.allowed:
            raise Refused(403, "AccessDenied", "Access Denied")


def check_signature(
    method: str, target: str, headers: Mapping[str, str], body: bytes, *, service: str = "s3", in_region: str = REGION
) -> None:
    """AWS signature, version 4, worked out from what came, not from how it was made."""
    headers = {name.lower(): value for name, value in headers.items()}
    found = re.fullmatch(
        rf"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{{8}})/([^/]+)/{service}/aws4_request, "
        r"SignedHeaders=([^,]+), Signature=(\w{64})",
        headers.get("authorization", ""),
    )
    if not found:
        raise Refused(403, "AccessDenied", "Access Denied")
    key_id, day, region, names, signature = found.groups()
    if key_id != KEY_ID:
        raise Refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    if region != in_region:
        raise Refused(400, "AuthorizationHeaderMalformed", f"the region '{region}' is wrong; expecting '{in_region}'")
    if headers.get("x-amz-content-sha256") != hashlib.sha256(body).hexdigest():
        raise Refused(400, "XAmzContentSHA256Mismatch", "The provided header does not match what was computed.")
    must = {"host", *(name for name in headers if name.startswith("x-amz-"))}
    if not must <= set(names.split(";")):
        raise Refused(403, "AccessDenied", "There were headers present in the request which were not signed")
    path, _, query = target.partition("?")
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names.split(";")]
    asked = "&".join(sorted(query.split("&"))) if query else ""
    whole = "\n".join([method, path, asked, "".join(lines), names, headers["x-amz-content-sha256"]])
    scope = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashlib.sha256(whole.encode()).hexdigest()}"
    key = ("AWS4" + SECRET).encode()
    for word in (day, region, service, "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    if hmac.new(key, text.encode(), "sha256").hexdigest() != signature:
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
