"""What may be reached: by name, by address, by redirect, and by a name that leads elsewhere the second time."""

import ipaddress
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import RemoteFailed
from appliance.machine import outgoing
from appliance.machine.http import Answer
from appliance.machine.outgoing import Allowed
from appliance.model.targets import Target
from tests.fakes.receivers import SOMEWHERE, internet, receiver

NOTHING = Allowed()
NEVER = (
    "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "0.1.2.3", "::", "169.254.169.254", "169.254.1.1", "fe80::1",
    "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1", "ff02::1", "255.255.255.255",
    "240.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
)  # fmt: skip
INSIDE = ("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1", "198.18.0.1", "64:ff9b::a01:203")
ODD = (
    "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://0x7f000001/",
    "http://[::1%25lo]/", "http://a@b/", "http://a:b@c/", "ftp://example.net/", "file:///etc/passwd", "http://",
    "//example.net/", "http://ex ample.net/", "http://example.net\\@127.0.0.1/", "http://example.net/\r\nX: y",
    "http://example.net:0/", "http://example.net:99999/", "http://[::1/", "http://\uff11\uff12\uff17.0.0.1/", "http://a..b/",
    "gopher://127.0.0.1/", "http://example.net/#part", "http://0/", "http://-a.net/", "http:/example.net",
)  # fmt: skip


def refused(text: str, allowed: Allowed = NOTHING) -> str:
    return outgoing.refusal("x", ipaddress.ip_address(text), allowed)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached(address: str) -> None:
    assert refused(address)
    assert refused(address, Allowed.of(f"{address} 0.0.0.0/0 ::/0 x")), "whatever is allowed"


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_reached_where_that_is_allowed(address: str) -> None:
    assert "inside" in refused(address)
    wide = Allowed.of("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 198.18.0.0/15 fd00::/8")
    assert refused(address, wide) == ""
    assert refused(address, Allowed.of("x")) == "", "by its name too"
    assert refused(address, Allowed.of("10.99.0.0/16 other.internal"))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_what_is_outside_is_reached(address: str) -> None:
    assert refused(address) == ""


def test_the_addresses_of_this_host_are_not_reached() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.connect((SOMEWHERE, 9))
        except OSError:
            pytest.skip("this machine has no address but its own loop")
        own = trial.getsockname()[0]
    assert "this host" in refused(own, Allowed.of("0.0.0.0/0"))


@pytest.mark.parametrize("text", ODD)
def test_other_spellings_are_no_addresses(text: str) -> None:
    with pytest.raises(ValueError):
        Target.parse(text)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_one_request_to_one_host(text: str) -> None:
    for typed in (text, f"https://{text}", f"https://example.net/{text}"):
        try:
            target = Target.parse(typed)
        except ValueError:
            continue
        assert Target.parse(target.url) == target, "it means the same when it is read again"
        assert target.url.isascii() and target.url.isprintable() and " " not in target.url
        assert "@" not in target.netloc


def post(url: str, allowed: Allowed = NOTHING, **more: float) -> Answer:
    return outgoing.send(url, {"Authorization": "Bearer for-one-alone"}, b"{}", allowed, **more)


def test_a_name_is_looked_up_once_and_that_address_is_dialled() -> None:
    """The second look-up would lead to this host."""
    with internet() as net, receiver() as there:
        net.add("hooks.example.net", there)
        net.names["hooks.example.net"] = [SOMEWHERE, "127.0.0.1"]
        assert post("http://hooks.example.net/a").status == 200
        assert (net.looked_up, net.dialled) == (["hooks.example.net"], [SOMEWHERE])
        assert there.got[0].headers["host"] == "hooks.example.net"
        with pytest.raises(RemoteFailed, match="this host"):
            post("http://hooks.example.net/a")
        assert net.dialled == [SOMEWHERE], "nothing was sent there"


@pytest.mark.parametrize(
    "where",
    [
        "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "//127.0.0.1/", "http://inside.example.net/",
        "http://2130706433/", "file:///etc/passwd", "http://user:word@hooks.example.net/",
    ],
)  # fmt: skip
def test_a_redirect_is_looked_at_like_the_first_address(where: str) -> None:
    with internet() as net, receiver(answers=[(307, {"Location": where}, b"")]) as there:
        net.add("hooks.example.net", there)
        net.names["inside.example.net"] = ["10.0.0.8"]
        with pytest.raises(RemoteFailed) as why:
            post("http://hooks.example.net/a")
        assert why.value.permanent and net.dialled == [SOMEWHERE] and len(there.got) == 1
        assert "user:word" not in why.value.detail


def test_three_redirects_are_followed_and_no_more() -> None:
    with internet() as net, receiver(answers=[(302, {"Location": "/b"}, b"")] * 3) as there:
        net.add("hooks.example.net", there)
        assert post("http://hooks.example.net/a").status == 200
        there.answers[:] = [(308, {"Location": "/b"}, b"")] * 4
        with pytest.raises(RemoteFailed, match="more than 3 times"):
            post("http://hooks.example.net/a")


def test_what_opens_one_door_is_shown_at_no_other() -> None:
    with internet() as net, receiver() as first, receiver() as second:
        net.add("one.example.net", first)
        net.add("two.example.net", second, "93.184.215.15")
        first.answers[:] = [(307, {"Location": "http://two.example.net/b"}, b"")]
        post("http://one.example.net/a")
        assert "authorization" in first.got[0].headers and "authorization" not in second.got[0].headers


def test_an_answer_without_end_is_read_for_a_while_alone() -> None:
    with internet() as net, receiver(answers=[(200, {}, b"x" * (8 << 20))]) as there:
        net.add("hooks.example.net", there)
        assert len(post("http://hooks.example.net/").body) == outgoing.MOST


def test_whoever_answers_by_the_byte_is_left_in_time() -> None:
    listener, stop = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def drip() -> None:
        taken, _ = listener.accept()
        with taken:
            try:
                while not stop.wait(0.05):
                    taken.sendall(b"H")
            except OSError:
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    with internet() as net:
        net.names["hooks.example.net"], net.places[SOMEWHERE] = [SOMEWHERE], listener.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(RemoteFailed, match="too long"):
            post("http://hooks.example.net/", timeout=0.5)
        assert time.monotonic() - began < 5
    stop.set()
    thread.join(10)
    listener.close()


def test_a_name_that_is_not_there_may_be_there_later() -> None:
    with internet() as net:
        with pytest.raises(RemoteFailed) as why:
            post("http://nowhere.invalid/")
        assert not why.value.permanent and net.dialled == []
