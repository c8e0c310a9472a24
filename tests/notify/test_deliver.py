"""What happened is told where somebody wants to hear of it: sent, tried again, given up, sent once more."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.access.actor import HOMEPORT
from appliance.access.record import record
from appliance.context import Context
from appliance.events import JobAdded
from appliance.machine import clock, outgoing
from appliance.model.deployments import Deployment
from appliance.notify import deliver
from appliance.projects.find import find_environment
from appliance.store import deliveries
from tests import inside
from tests.fakes.receivers import STRICT, Answer, Got, Internet, Receiver, internet, receiver
from tests.mailbox import mailbox
from tests.servers import eventually

HOST = "hooks.example.net"
TO = f"http://{HOST}/hook/T0KEN/of-the-service"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made, inside.listening(made), inside.working(made):
        yield made


@pytest.fixture
def api(ctx: Context) -> Iterator[httpx.Client]:
    with inside.signed_in(ctx) as client:
        yield client


@pytest.fixture
def net() -> Iterator[Internet]:
    with internet() as made:
        yield made


@pytest.fixture
def there(net: Internet) -> Iterator[Receiver]:
    with receiver() as made:
        net.add(HOST, made)
        yield made


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "WAITS", tuple(timedelta(milliseconds=20) for _ in deliver.WAITS))


def add(api: httpx.Client, kind: str = "webhook", to: str = TO, **more: Any) -> Any:
    answer = api.post("/notifications", json={"kind": kind, "name": kind, "to": to, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def fail(ctx: Context, why: str = "No room.", verb: str = "backup.failed", **more: str) -> None:
    """Something is on record, as by whoever did it."""
    with ctx.write(JobAdded()) as db:
        record(ctx, db, HOMEPORT, verb, "homeport.tar", why=why, **more)


def arrived(ctx: Context, one: Deployment) -> bool:
    eventually(lambda: inside.state(ctx, one).status == "succeeded")
    return True


def sent(api: httpx.Client, **asked: str) -> list[Any]:
    items: list[Any] = api.get("/deliveries", params=asked).json()["items"]
    return items


def test_a_deployment_that_failed_is_told_and_the_mark_fits(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    key = add(api, events=["deployment.failed", "deployment.live"])["key"]
    place = inside.project(ctx, "blog")
    inside.upload(ctx, place, {"index.html": "one"})
    eventually(lambda: len(there.got) == 1)
    got = there.got[0]
    assert (got.path, got.json["event"], got.json["title"]) == (
        "/hook/T0KEN/of-the-service",
        "deployment.live",
        "blog #1 is live in production",
    )
    covered = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    mark = hmac.new(base64.b64decode(key.removeprefix("whsec_")), covered, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(mark).decode()}"
    assert abs(time.time() - int(got.headers["webhook-timestamp"])) < 60
    eventually(lambda: sent(api)[0]["status"] == "succeeded")
    (one,) = sent(api)
    assert one["id"] == got.headers["webhook-id"] and one["attempts"][0]["status"] == 200


@pytest.mark.parametrize("kind", STRICT)
def test_each_kind_is_taken(ctx: Context, api: httpx.Client, there: Receiver, kind: str) -> None:
    there.strict = STRICT[kind]
    made = add(api, kind, f"http://{HOST}/topic")
    fail(ctx, why="<!channel> @everyone `rm` [x](http://evil.example)")
    eventually(lambda: [one["status"] for one in sent(api)] == ["succeeded"])
    assert api.post(f"/notifications/{made['id']}/test").json()["status"] == "succeeded"


def test_it_is_tried_again_until_it_arrives(ctx: Context, api: httpx.Client, there: Receiver, hasty: None) -> None:
    there.answers = [(500, {}, b"not now"), (429, {"Retry-After": "0"}, b""), (503, {}, b"")]
    add(api)
    fail(ctx)
    eventually(lambda: [one["status"] for one in sent(api)] == ["succeeded"])
    (one,) = sent(api)
    assert [it["status"] for it in one["attempts"]] == [200, 503, 429, 500]
    assert one["attempts"][-1]["said"] == "not now"
    assert len({got.headers["webhook-id"] for got in there.got}) == 1 and len({got.body for got in there.got}) == 1


def test_what_never_arrives_is_given_up_and_can_be_sent_again(
    ctx: Context, api: httpx.Client, there: Receiver, hasty: None
) -> None:
    there.answers = [(500, {}, b"")] * (len(deliver.WAITS) + 1)
    add(api)
    fail(ctx)
    eventually(lambda: len(sent(api, status="failed")) == 1)
    (dead,) = sent(api, status="failed")
    assert len(dead["attempts"]) == len(deliver.WAITS) + 1 and dead["next_at"] is None
    assert api.get("/activity?verb=notification.failed").json()["items"][0]["subject"] == "webhook"
    assert api.post(f"/deliveries/{dead['id']}/redeliver").status_code == 202
    eventually(lambda: sent(api)[0]["status"] == "succeeded")
    (one,) = sent(api)
    assert one["id"] == dead["id"] == there.got[-1].headers["webhook-id"] and there.got[-1].body == there.got[0].body
    assert len(one["attempts"]) == len(deliver.WAITS) + 2, "the history stays"


def test_a_plain_no_is_not_asked_again(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    there.answers = [(404, {}, b"no_such_hook"), (410, {}, b"")]
    add(api)
    fail(ctx)
    eventually(lambda: len(sent(api, status="failed")) == 1)
    assert len(there.got) == 1


def test_the_waits_are_ever_longer_and_end_within_a_day() -> None:
    assert list(deliver.WAITS) == sorted(deliver.WAITS)
    assert timedelta(hours=20) < sum(deliver.WAITS, timedelta()) < timedelta(hours=24)


def test_one_that_is_slow_or_away_keeps_no_deployment_waiting(
    ctx: Context, api: httpx.Client, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.slow = threading.Event()
    add(api, events=["deployment.live", "deployment.failed"])
    place = inside.project(ctx, "blog")
    began = time.monotonic()
    for number in range(4):
        one = inside.upload(ctx, place, {"index.html": f"{number}"})
        assert arrived(ctx, one)
    assert time.monotonic() - began < outgoing.TIMEOUT, "nobody waited for the answer"
    there.slow.set()
    eventually(lambda: [one["status"] for one in sent(api)] == ["succeeded"] * 4)


def test_where_it_must_not_go_nothing_goes(ctx: Context, api: httpx.Client, there: Receiver, net: Internet) -> None:
    there.answers = [(302, {"Location": "http://169.254.169.254/latest/meta-data/"}, b"")]
    made = add(api)
    done = api.post(f"/notifications/{made['id']}/test").json()
    assert done["status"] == "failed" and "tells of the machine" in done["attempts"][0]["said"]
    net.names[HOST] = ["93.184.215.14", "127.0.0.1"]
    assert api.post(f"/notifications/{made['id']}/test").json()["status"] == "succeeded"
    done = api.post(f"/notifications/{made['id']}/test").json()
    assert done["status"] == "failed" and "this host" in done["attempts"][0]["said"]
    assert net.dialled == ["93.184.215.14"] * 2
    net.names[HOST] = ["10.1.2.3"]
    done = api.post(f"/notifications/{made['id']}/test").json()
    assert "HOMEPORT_OUTGOING_ALLOW=10.1.2.3" in done["attempts"][0]["said"]


def echoed(got: Got) -> Answer:
    """Whoever says back all that it was told."""
    return 400, {}, f"{got.path} {got.headers} {got.body!r}".encode()


def test_what_is_secret_of_a_channel_is_nowhere(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    there.strict = echoed
    made = add(api, "ntfy", f"http://{HOST}/a-secret-topic", token="a-secret-token")
    api.post(f"/notifications/{made['id']}/test")
    fail(ctx)
    eventually(lambda: len(sent(api, status="failed")) == 2)
    one = f"/notifications/{made['id']}"
    for path in ("/notifications", one, f"{one}/preview", f"{one}/deliveries", "/deliveries", "/activity"):
        text = api.get(path).text
        assert "a-secret-token" not in text, path
        assert "a-secret-topic" not in text, path
    there.answers = [(400, {}, b"no topic a-longer-part of ours")]
    hook = add(api, "slack", f"http://{HOST}/services/a-longer-part?key=of-the-key")
    done = api.post(f"/notifications/{hook['id']}/test").json()
    assert done["attempts"][0]["said"] == "no topic (secret) of ours"
    api.patch(one, json={"name": "other"})
    assert api.post(f"{one}/test").json()["attempts"][0]["status"] == 400
    assert there.got[-1].headers["authorization"] == "Bearer a-secret-token", "it is still there"


def test_only_what_is_wanted_is_told(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    for name in ("blog", "shop"):
        inside.project(ctx, name)
    add(api, events=["url.failed", "backup.failed"], projects=["blog"])
    fail(ctx, verb="url.failed", project="shop", environment="production")
    fail(ctx, verb="url.active", project="blog", environment="production")
    fail(ctx, verb="url.failed", project="blog", environment="production")
    fail(ctx)
    eventually(lambda: len(there.got) == 2)
    assert [(got.json["event"], got.json["project"]) for got in there.got] == [
        ("url.failed", "blog"),
        ("backup.failed", None),
    ]
    assert len(sent(api)) == 2


def test_what_is_not_done_is_not_told(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    """It is written down in the transaction of what it is about."""
    add(api)
    with suppress(RuntimeError), ctx.write() as db:
        record(ctx, db, HOMEPORT, "backup.failed", "homeport.tar", why="x")
        raise RuntimeError
    assert sent(api) == []


def test_a_second_person_is_called(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    add(api)
    place = inside.project(ctx, "blog")
    assert api.put("/projects/blog/environments/production/approval", json={}).status_code == 200
    inside.upload(ctx, find_environment(ctx, "blog", "production"), {"index.html": "x"})
    eventually(lambda: len(there.got) == 1)
    assert there.got[0].json["event"] == "deployment.waiting"
    assert place.name == "production"


def test_e_mail_goes_out_by_the_mail_server(ctx: Context, api: httpx.Client) -> None:
    made = add(api, "email", "team@example.com")
    done = api.post(f"/notifications/{made['id']}/test").json()
    assert done["status"] == "failed" and "No mail server is set" in done["attempts"][0]["said"]
    with mailbox() as box:
        inside.save(ctx, **box.settings())
        fail(ctx, why="No room.\r\nBcc: other@example.com")
        message = box.wait()
    assert (message["To"], message["Subject"], message["Bcc"]) == (
        "team@example.com",
        "[Homeport] A backup failed",
        None,
    )
    assert "No room. Bcc: other@example.com" in message.get_content()


def test_fields_are_looked_at(ctx: Context, api: httpx.Client) -> None:
    wrong: list[dict[str, Any]] = [
        {"kind": "pigeon", "name": "x", "to": TO},
        {"kind": "slack", "name": "", "to": TO},
        {"kind": "slack", "name": "x", "to": "http://127.1/"},
        {"kind": "slack", "name": "x", "to": "team@example.com"},
        {"kind": "email", "name": "x", "to": TO},
        {"kind": "ntfy", "name": "x", "to": "https://ntfy.sh/"},
        {"kind": "slack", "name": "x", "to": TO, "token": "t"},
        {"kind": "slack", "name": "x", "to": TO, "events": ["nothing.happened"]},
        {"kind": "slack", "name": "x", "to": TO, "projects": ["nowhere"]},
        {"kind": "slack", "name": "x", "to": TO, "more": 1},
    ]
    for one in wrong:
        assert api.post("/notifications", json=one).status_code == 422, one
    add(api, "slack")
    assert api.post("/notifications", json={"kind": "slack", "name": "SLACK", "to": TO}).status_code == 409


def test_a_channel_that_is_removed_takes_all_of_it_along(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    there.answers = [(500, {}, b"")]
    made = add(api)
    fail(ctx)
    eventually(lambda: bool(sent(api) and sent(api)[0]["attempts"]))
    assert api.delete(f"/notifications/{made['id']}").status_code == 204
    assert sent(api) == [] and api.get(f"/notifications/{made['id']}").status_code == 404
    assert len(there.got) == 1


def test_another_key_counts_at_once(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    made = add(api)
    other = api.post(f"/notifications/{made['id']}/key").json()["key"]
    assert other.startswith("whsec_") and other != made["key"]
    api.post(f"/notifications/{made['id']}/test")
    got: Got = there.got[0]
    covered = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    mark = hmac.new(base64.b64decode(other.removeprefix("whsec_")), covered, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(mark).decode()}"


def test_the_preview_is_what_is_sent(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    made = add(api, "slack")
    shown = api.get(f"/notifications/{made['id']}/preview", params={"event": "backup.failed"}).json()
    fail(ctx, why="This is an example: nothing happened.")
    eventually(lambda: len(there.got) == 1)
    for text in (shown["body"], there.got[0].body.decode()):
        body = json.loads(text)
        assert body["text"] == "A backup failed"
        assert [block["type"] for block in body["blocks"]] == ["header", "section", "context", "section"]
    assert "T0KEN" not in json.dumps(shown)
    assert api.get(f"/notifications/{made['id']}/preview?event=x").status_code == 422


def test_what_is_old_is_forgotten(ctx: Context, api: httpx.Client, there: Receiver) -> None:
    add(api)
    fail(ctx)
    eventually(lambda: [one["status"] for one in sent(api)] == ["succeeded"])
    deliver.forget_old(ctx)
    assert len(sent(api)) == 1
    with ctx.write() as db:
        assert deliveries.forget(db, clock.text(ctx.now() + timedelta(seconds=1))) == 1
    assert sent(api) == []
