"""Any bytes at all where a form, a cookie or a token is read: never a fault of ours, never somebody else."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from tests.appliance import Appliance, zipped

FEW = tries(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
UPLOAD = "/api/v1/projects/any-bytes/environments/production/deployments"
TOLD = {400, 401, 403, 404, 409, 411, 413, 415, 422, 429}
SITE = zipped({"index.html": "x"})


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    unlimited = {f"HOMEPORT_LIMIT_{one}": "0" for one in ("KEY", "ADDRESS", "TRIES")}
    with Appliance(tmp_path_factory.mktemp("any") / "data", **unlimited) as running:
        running.project("any-bytes")
        yield running


PIECES = st.sampled_from([
    b"--edge\r\n", b"--edge--\r\n", b"--edge", b"--", b"\r\n", b"\n", b"\r", b"\0", b"\xff", b";", b'"', b"edge",
    b'Content-Disposition: form-data; name="bundle"; filename="site.zip"\r\n',
    b'Content-Disposition: form-data; name="bundle"\r\n',
    b"Content-Disposition: form-data; name=bundle; filename*=utf-8''%ff%00\r\n",
    b'Content-Disposition: attachment; name="\\"\r\n',
    b'Content-Disposition: form-data; name="project"\r\n\r\nx\r\n',
    b"Content-Type: application/zip\r\n", b"Content-Transfer-Encoding: base64\r\n", b"X: " + b"y" * 3000 + b"\r\n",
    b"\r\n\r\n", SITE, SITE[:50],
])  # fmt: skip
FORMS = st.lists(PIECES | st.binary(max_size=20), max_size=14).map(b"".join)
KINDS = st.sampled_from([
    "multipart/form-data; boundary=edge", "multipart/form-data", "multipart/form-data; boundary=",
    'multipart/form-data; boundary="edge', "multipart/mixed; boundary=edge; boundary=other", "multipart/",
    "multipart/form-data; boundary=" + "e" * 300, "multipart/form-data; boundary=edge; charset=utf-7",
])  # fmt: skip


@FEW
@given(KINDS, FORMS)
@example("multipart/form-data; boundary=edge", b"--edge\r\n" * 2000)
def test_a_form_is_taken_or_refused_in_words(alone: Appliance, kind: str, body: bytes) -> None:
    answer = alone.ask("POST", UPLOAD, content=body, headers={"Content-Type": kind})
    assert answer.status_code in TOLD | {202}, answer.text
    if answer.status_code != 202:
        assert answer.headers["content-type"] == "application/problem+json" and answer.json()["detail"]
    assert not list((alone.data / "incoming").glob("*"))
    assert "Traceback" not in alone.output


@FEW
@given(FORMS)
def test_a_form_in_the_browser_too(alone: Appliance, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Sec-Fetch-Site": "same-origin"}
    answer = alone.http.post(f"{alone.url}/login", content=body, headers=headers)
    assert answer.status_code in TOLD, answer.text
    assert "set-cookie" not in answer.headers and "Traceback" not in alone.output


COOKIES = st.binary(max_size=80).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b""))


@FEW
@given(st.lists(COOKIES | st.just(b"homeport_session=") | st.just(b"; "), max_size=8).map(b"".join))
def test_a_cookie_makes_nobody_somebody(alone: Appliance, cookie: bytes) -> None:
    head = b"GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: " + cookie + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", alone.port), timeout=15) as line:
        line.sendall(head)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while data := line.recv(65536):
                answer += data
    assert int(answer.split(b" ", 2)[1]) in (400, 401), answer


@FEW
@given(st.data())
def test_a_token_or_key_with_any_part_changed_is_worth_nothing(alone: Appliance, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([alone.token, alone.key]))
    at = data.draw(st.integers(1, len(whole) - 2))  # two bits of a token's last letter say nothing
    others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    changed = data.draw(st.sampled_from([
        whole[:at], whole[at + 1 :], whole[:at] + whole[at + 1 :],
        whole[:at] + data.draw(st.sampled_from(others)) + whole[at + 1 :],
        whole[:at] + data.draw(st.sampled_from(others)) + whole[at:],
    ]))  # fmt: skip
    answer = alone.http.get(f"{alone.url}/api/v1/me", headers={"Authorization": f"Bearer {changed}"})
    assert (answer.status_code == 200) == (changed == whole), changed
