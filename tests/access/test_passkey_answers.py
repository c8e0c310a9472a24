"""What a passkey says, changed in each of its parts, by an authenticator that would say anything."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.access.cast import PASSWORD as THEIRS
from tests.access.cast import add_person
from tests.appliance import Appliance

THERE = 0x01 | 0x04  # somebody was there, and was recognised
Part = dict[str, Any]


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One passkey. What it says can be changed before it is signed, or after."""

    origin: str
    name: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    counter: int = 0

    def make(self, options: Mapping[str, Any]) -> Part:
        enclosed = bytes(16) + len(self.name).to_bytes(2, "big") + self.name + b"\xa0"
        parts = self._parts("webauthn.create", options["challenge"], options["rp"]["id"], 0x40, enclosed)
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return self._said({**parts, "publicKey": public})

    def show(self, options: Mapping[str, Any], *, change: Mapping[str, Any] | None = None) -> Part:
        """`change` is of what is signed."""
        change = dict(change or {})
        self.counter = change.pop("counter", self.counter + 1)
        client = {key: change.pop(key) for key in tuple(change) if key in ("type", "origin", "crossOrigin")}
        kind, flags = client.pop("type", "webauthn.get"), change.pop("flags", 0)
        challenge, host = change.pop("challenge", options["challenge"]), change.pop("host", options["rpId"])
        parts = self._parts(kind, challenge, host, flags, b"", **client)
        signed = parts["authenticatorData"] + hashlib.sha256(parts["clientDataJSON"]).digest()
        parts["signature"] = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._said(parts)

    def _parts(
        self, kind: str, challenge: str, host: str, flags: int, enclosed: bytes, **client: object
    ) -> dict[str, bytes]:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False, **client}
        data = hashlib.sha256(host.encode()).digest() + bytes([THERE ^ flags]) + self.counter.to_bytes(4, "big")
        return {"clientDataJSON": json.dumps(said).encode(), "authenticatorData": data + enclosed}

    def _said(self, parts: Mapping[str, bytes]) -> Part:
        response = {name: text(part) for name, part in parts.items()}
        return {"id": text(self.name), "rawId": text(self.name), "type": "public-key", "response": response}


class Holder:
    """Somebody with a passkey."""

    def __init__(self, server: Appliance, email: str) -> None:
        self.server = server
        add_person(server, email, "developer")
        self.token = self.post("/login", {"email": email, "password": THEIRS}).json()["token"]
        self.own = Authenticator(f"http://localhost:{server.port}")
        options = self.post("/me/passkeys/options", {}, signed_in=True).json()["options"]
        made = self.post("/me/passkeys", {"credential": self.own.make(options), "name": "own"}, signed_in=True)
        assert made.status_code == 201, made.text

    def post(self, path: str, body: object, *, signed_in: bool = False) -> httpx.Response:
        headers = {"Host": f"localhost:{self.server.port}"}
        if signed_in:
            headers["Authorization"] = f"Bearer {self.token}"
        return self.server.http.post(f"{self.server.url}/api/v1{path}", json=body, headers=headers)

    def options(self) -> dict[str, Any]:
        found: dict[str, Any] = self.post("/login/passkey/options", {}).json()["options"]
        return found

    def come_in(self, shown: Part) -> httpx.Response:
        return self.post("/login/passkey", {"credential": shown})


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holder]:
    with Appliance(tmp_path_factory.mktemp("passkeys") / "data", HOMEPORT_LIMIT_TRIES="0") as alone:
        yield Holder(alone, "holder@example.com")


def test_as_it_is_it_lets_in(holder: Holder) -> None:
    assert holder.come_in(holder.own.show(holder.options())).status_code == 201


def test_what_was_wrong_is_on_record(holder: Holder) -> None:
    """The first of these tests that is refused anything: of a flood, not each is written down."""
    holder.come_in(holder.own.show(holder.options(), change={"host": "evil.example.com"}))
    assert holder.post("/me/confirm", {"password": "not the password"}, signed_in=True).status_code == 401
    last, before = holder.server.get("/activity?verb=session&limit=2")["items"]
    assert (last["verb"], last["actor"]) == ("session.unconfirmed", "holder@example.com")
    assert (before["verb"], before["actor"], before["data"]) == ("session.failed", "nobody", {"by": "passkey"})


SIGNED: dict[str, Mapping[str, Any]] = {
    "for something else": {"type": "webauthn.create"},
    "at another address": {"origin": "https://evil.example.com"},
    "in a frame of another": {"crossOrigin": True},
    "for another host": {"host": "evil.example.com"},
    "for a host above": {"host": "com"},
    "nobody was there": {"flags": 0x01},
    "nobody was recognised": {"flags": 0x04},
    "another challenge": {"challenge": text(secrets.token_bytes(54))},
    "no challenge": {"challenge": ""},
    "counted backwards": {"counter": 0},
}


@pytest.mark.parametrize("what", SIGNED)
def test_what_it_signed_for_something_else_lets_nobody_in(holder: Holder, what: str) -> None:
    holder.come_in(holder.own.show(holder.options()))
    before = holder.own.counter
    refused = holder.come_in(holder.own.show(holder.options(), change=SIGNED[what]))
    holder.own.counter = max(before, holder.own.counter)
    assert (refused.status_code, refused.json()["type"]) == (400, "urn:homeport:bad_passkey"), what


def swapped(name: str) -> Callable[[Part], None]:
    def swap(said: Part) -> None:
        raw = bytearray(base64.urlsafe_b64decode(said["response"][name] + "=="))
        raw[len(raw) // 2] ^= 1
        said["response"][name] = text(bytes(raw))

    return swap


CHANGED: dict[str, Callable[[Part], None]] = {
    "the signature": swapped("signature"),
    "what the browser said": swapped("clientDataJSON"),
    "what it said itself": swapped("authenticatorData"),
    "a signature of nothing": lambda said: said["response"].update(signature=""),
    "no signature": lambda said: said["response"].pop("signature"),
    "a signature that is a number": lambda said: said["response"].update(signature=1),
    "another passkey": lambda said: said.update(rawId=text(b"another one")),
    "somebody else's": lambda said: said["response"].update(userHandle=text(b"somebody")),
    "another form": lambda said: said.update(type="password"),
    "nothing inside": lambda said: said.update(response={}),
    "not base64": lambda said: said["response"].update(signature="***"),
    "very long": lambda said: said["response"].update(signature="A" * 5000),
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_was_changed_afterwards_lets_nobody_in(holder: Holder, what: str) -> None:
    said = holder.own.show(holder.options())
    CHANGED[what](said)
    refused = holder.come_in(said)
    assert (refused.status_code, refused.json()["type"]) == (400, "urn:homeport:bad_passkey"), refused.text


def test_what_was_shown_once_is_worth_nothing_the_next_time(holder: Holder) -> None:
    said = holder.own.show(holder.options())
    assert holder.come_in(said).status_code == 201
    again = holder.come_in(said)
    assert again.status_code == 400


def test_a_challenge_is_for_one_use_whatever_the_counter_says(holder: Holder) -> None:
    options = holder.options()
    assert holder.come_in(holder.own.show(options)).status_code == 201
    assert "shown before" in holder.come_in(holder.own.show(options)).json()["detail"]


def test_what_was_asked_for_one_thing_is_no_answer_to_another(holder: Holder) -> None:
    to_make = holder.post("/me/passkeys/options", {}, signed_in=True).json()["options"]
    to_confirm = holder.post("/me/confirm/options", {}, signed_in=True).json()["options"]
    for challenge in (to_make["challenge"], to_confirm["challenge"]):
        said = holder.own.show({**holder.options(), "challenge": challenge})
        assert "not asked for here" in holder.come_in(said).json()["detail"]


def test_nobody_confirms_with_somebody_elses(holder: Holder) -> None:
    other = Holder(holder.server, "other@example.com")
    options = holder.post("/me/confirm/options", {}, signed_in=True).json()["options"]
    refused = holder.post("/me/confirm", {"credential": other.own.show(options)}, signed_in=True)
    assert (refused.status_code, "not known here" in refused.json()["detail"]) == (400, True)
    mine = holder.post("/me/confirm/options", {}, signed_in=True).json()["options"]
    shown = holder.post("/me/confirm", {"credential": holder.own.show(mine)}, signed_in=True)
    assert shown.status_code == 204, shown.text


def test_one_with_the_name_of_another_is_not_taken(holder: Holder) -> None:
    thief = Authenticator(holder.own.origin, name=holder.own.name)
    options = holder.post("/me/passkeys/options", {}, signed_in=True).json()["options"]
    taken = holder.post("/me/passkeys", {"credential": thief.make(options), "name": "again"}, signed_in=True)
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:homeport:passkey_taken")
