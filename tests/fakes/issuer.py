"""An issuer of OpenID Connect whose tokens a test makes as it likes, good ones and forged ones."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

CLIENT_ID, CLIENT_SECRET = "homeport-of-tests", "issuer-client-secret-of-tests"


@dataclass
class Key:
    kid: str
    algorithm: str
    private: Any

    @property
    def public(self) -> dict[str, Any]:
        makers: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
        made: dict[str, Any] = json.loads(makers[self.algorithm].to_jwk(self.private.public_key()))
        return {**made, "kid": self.kid, "use": "sig", "alg": self.algorithm}


def make_key(kid: str, algorithm: str = "ES256", bits: int = 2048) -> Key:
    if algorithm == "RS256":
        return Key(kid, algorithm, rsa.generate_private_key(65537, bits))
    if algorithm == "EdDSA":
        return Key(kid, algorithm, ed25519.Ed25519PrivateKey.generate())
    return Key(kid, algorithm, ec.generate_private_key(ec.SECP256R1()))


@dataclass
class Issuer:
    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    token: str = ""  # the ID token that the next code is exchanged for
    userinfo: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # the paths, in order
    forms: list[dict[str, str]] = field(default_factory=list)

    def claims(self, expected: str, /, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        made = {
            "iss": self.url,
            "sub": "alice-there",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": expected,
            "email": "alice@example.com",
            "email_verified": True,
        }
        return {name: value for name, value in {**made, **more}.items() if value is not None}

    def signs(self, key: Key, expected: str, /, **more: Any) -> str:
        self.token = jwt.encode(self.claims(expected, **more), key.private, key.algorithm, headers={"kid": key.kid})
        return self.token

    def answer(self, path: str) -> tuple[int, Any]:
        self.asked.append(path)
        answers: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
                **self.discovery,
            },
            "/keys": {"keys": self.keys},
            "/token": {"access_token": "a-token", "token_type": "Bearer", "id_token": self.token},
            "/userinfo": self.userinfo,
        }
        return (200, answers[path]) if path in answers else (404, {"error": "not_found"})


@contextmanager
def issuer() -> Iterator[Issuer]:
    there = Issuer()
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


def _handler(there: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(*there.answer(urlsplit(self.path).path))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            there.forms.append({name: values[0] for name, values in form.items()})
            self._answer(*there.answer(urlsplit(self.path).path))

        def _answer(self, status: int, body: object) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
