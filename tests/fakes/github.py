"""GitHub as somebody sees it who signs in through it: the OAuth pages and the two questions of its API."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID, CLIENT_SECRET = "Iv1.0123456789abcdef", "github-client-secret-of-tests"


@dataclass
class GitHub:
    """Who is signed in there, and what was granted."""

    url: str = ""
    number: int = 583231
    emails: list[dict[str, Any]] = field(default_factory=list)
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def signed_in_as(self, number: int, email: str, *, verified: bool = True) -> None:
        self.number = number
        self.emails = [
            {"email": f"{number}+x@users.noreply.github.com", "primary": False, "verified": True, "visibility": None},
            {"email": email, "primary": True, "verified": verified, "visibility": "private"},
        ]

    def authorize(self, asked: Mapping[str, str]) -> str:
        """Where the browser is sent, once somebody has said yes."""
        assert asked["client_id"] == CLIENT_ID and asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(10)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, form: Mapping[str, str]) -> Mapping[str, str]:
        """GitHub says no with 200."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return {"error": "incorrect_client_credentials", "error_description": "The client_id is incorrect."}
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None:
            return {"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return {"error": "bad_verification_code", "error_description": "The code verifier is wrong."}
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return {"error": "redirect_uri_mismatch"}
        token = f"gho_{secrets.token_hex(18)}"
        self.tokens.add(token)
        return {"access_token": token, "token_type": "bearer", "scope": "read:user,user:email"}


@contextmanager
def github() -> Iterator[GitHub]:
    """A server of one's own, whose API is under /api/v3."""
    there = GitHub()
    there.signed_in_as(583231, "octo@example.com")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(there))
    there.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def _handler(there: GitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, asked = urlsplit(self.path).path, _first(urlsplit(self.path).query)
            if path == "/login/oauth/authorize":
                self._redirect(there.authorize(asked))
            elif not self.headers.get("User-Agent"):
                self._answer(403, {"message": "Request forbidden by administrative rules. Please add a User-Agent."})
            elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in there.tokens:
                self._answer(401, {"message": "Bad credentials"})
            elif path == "/api/v3/user":
                self._answer(200, {"login": "octo", "id": there.number, "email": None})
            elif path == "/api/v3/user/emails":
                self._answer(200, there.emails)
            else:
                self._answer(404, {"message": "Not Found"})

        def do_POST(self) -> None:
            form = _first(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if urlsplit(self.path).path != "/login/oauth/access_token":
                self._answer(404, {"message": "Not Found"})
            elif "application/json" not in self.headers.get("Accept", ""):
                self._send(200, urlencode(there.exchange(form)).encode(), "application/x-www-form-urlencoded")
            else:
                self._answer(200, there.exchange(form))

        def _redirect(self, where: str) -> None:
            self.send_response(302)
            self.send_header("Location", where)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _answer(self, status: int, body: object) -> None:
            self._send(status, json.dumps(body).encode(), "application/json; charset=utf-8")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _first(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
