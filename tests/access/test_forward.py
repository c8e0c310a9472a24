"""Activity goes to a syslog server: whole, in order, and none is left out."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.access import forward
from appliance.access.actor import OPERATOR
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import StartFailed
from appliance.settings import Settings
from tests.inside import context

FORM = re.compile(
    r"<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ homeport - (\S+) "
    r'\[homeport@32473 ((?:\w+="(?:[^"\\\]]|\\.)*" ?)+)\] (.*)'
)


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with context(tmp_path / "data") as ctx:
        yield ctx


def did(ctx: Context, *subjects: str) -> None:
    for subject in subjects:
        with ctx.write() as db:
            record(ctx, db, OPERATOR, "project.create", subject)


def to(ctx: Context, address: str) -> None:
    ctx.base = replace(ctx.base, syslog=address)


def taken(listener: socket.socket, connections: int = 1) -> list[bytes]:
    """What a server reads, told apart by length."""
    messages: list[bytes] = []
    for _ in range(connections):
        connection, _ = listener.accept()
        with connection:
            text = connection.makefile("rb").read()
        while text:
            length, _, text = text.partition(b" ")
            messages.append(text[: int(length)])
            text = text[int(length) :]
    return messages


def sent(ctx: Context, listener: socket.socket, connections: int = 1) -> list[bytes]:
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.extend(taken(listener, connections)))
    reader.start()
    forward.send(ctx)
    reader.join(20)
    return found


def subject(message: bytes) -> str:
    found = FORM.fullmatch(message.decode())
    assert found, message
    return re.sub(r"\\(.)", r"\1", dict(re.findall(r'(\w+)="((?:[^"\\\]]|\\.)*)"', found[3]))["subject"])


def test_over_tcp_each_comes_once_and_in_order_also_after_a_restart(ctx: Context) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        to(ctx, f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        did(ctx, *(f"site-{number}" for number in range(450)))
        assert [subject(one) for one in sent(ctx, listener, 3)] == [f"site-{number}" for number in range(450)]
        did(ctx, "later")
        assert [subject(one) for one in sent(ctx, listener)] == ["later"]
        forward.send(ctx)  # nobody is asked for nothing


def test_while_the_server_is_away_nothing_is_lost_and_it_is_said_once(
    ctx: Context, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    to(ctx, f"tcp://127.0.0.1:{port}")
    did(ctx, "first")
    forward.send(ctx)
    did(ctx, "second")
    forward.send(ctx)
    assert len([it for it in caplog.records if "can't be reached" in it.getMessage()]) == 1
    with socket.create_server(("127.0.0.1", port)) as listener:
        assert [subject(one) for one in sent(ctx, listener)] == ["first", "second"]


def test_what_a_server_broke_off_comes_again(ctx: Context) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        to(ctx, f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        did(ctx, "once more")

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()

        rude = threading.Thread(target=hang_up)
        rude.start()
        forward.send(ctx)
        rude.join(20)
        assert [subject(one) for one in sent(ctx, listener)] == ["once more"]


@pytest.mark.parametrize("kind", ["udp", "unix datagrams", "unix stream"])
def test_over_udp_and_sockets_of_this_host(ctx: Context, tmp_path: Path, kind: str) -> None:
    did(ctx, "here")
    if kind == "unix stream":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "log"))
            listener.listen()
            to(ctx, f"unix:{tmp_path / 'log'}")
            assert [subject(one) for one in sent(ctx, listener)] == ["here"]
        return
    with socket.socket(socket.AF_INET if kind == "udp" else socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(20)
        receiver.bind(("127.0.0.1", 0) if kind == "udp" else str(tmp_path / "log"))
        to(ctx, f"udp://127.0.0.1:{receiver.getsockname()[1]}" if kind == "udp" else f"unix:{tmp_path / 'log'}")
        forward.send(ctx)
        assert subject(receiver.recv(65536)) == "here"


def test_no_value_can_begin_a_line_or_a_field_of_its_own(ctx: Context) -> None:
    evil = 'x"] evil="1" \\ ]\n<0>1 - - - - - - forged\r\x1b[31m\u2028'
    did(ctx, evil)
    with ctx.write() as db:
        record(ctx, db, OPERATOR, "project.create", "data", why=evil)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        to(ctx, f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        first, second = sent(ctx, listener)
    assert not re.search(rb"[\x00-\x1f\x7f]", first + second) and "\u2028" not in first.decode()
    assert subject(first) == evil.replace("\n", "\\u000a").replace("\r", "\\u000d").replace("\x1b", "\\u001b").replace(
        "\u2028", "\\u2028"
    )
    found = FORM.fullmatch(second.decode())
    assert found and json.loads(found[4]) == {"why": evil}


@pytest.mark.parametrize("text", ["host:514", "http://host:1", "tcp://host", "unix:", "udp://:514"])
def test_an_address_that_is_none_stops_the_start(text: str) -> None:
    with pytest.raises(StartFailed, match="SYSLOG"):
        Settings.load({}, {"HOMEPORT_SYSLOG": text})
