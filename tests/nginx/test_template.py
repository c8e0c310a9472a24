"""One URL as an NGINX file: every value that is taken comes back, and nothing else can get in."""

import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import crossplane
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import HostFailed
from appliance.model import serving
from appliance.model.urls import host_name
from appliance.nginx.template import MARK, SiteConf, is_ours, read, render

CONF = SiteConf("www.example.com", Path("/var/lib/homeport/sites/blog/production"), ("80",))
ODD = "\n\r\t ;{}#\"'$\\`%*:/~\0é"


def _is_name(text: str) -> bool:
    try:
        return host_name(text) == text
    except ValueError:
        return False


labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
hosts = st.lists(labels, min_size=2, max_size=5).map(".".join).filter(_is_name)
parts = st.text(string.ascii_letters + string.digits + "._@+~-", min_size=1).filter(lambda it: it not in (".", ".."))
roots = st.lists(parts, min_size=1, max_size=6).map(lambda it: Path("/" + "/".join(it)))
ports = st.integers(1, 65535).map(str)
addresses = st.sampled_from(["", "192.0.2.10:", "[::]:", "[2001:db8::1]:"])
listens = st.tuples(addresses, ports).map("".join)
confs = st.builds(SiteConf, hosts, roots, st.lists(listens, min_size=1, max_size=3, unique=True).map(tuple))


@given(confs)
def test_what_is_rendered_is_read_back(conf: SiteConf) -> None:
    assert read(render(conf)) == conf


@given(confs)
def test_no_value_adds_a_directive(conf: SiteConf) -> None:
    """A parser that isn't ours finds these values, and otherwise the same file for every URL."""
    assert _shape(render(conf), conf) == _shape(render(CONF), CONF)


def _shape(text: str, conf: SiteConf) -> str:
    """The tree of directives without the three values, which are checked on the way."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        parsed = crossplane.parse(file.name, single=True, check_ctx=False)
    assert parsed["errors"] == []
    (server,) = parsed["config"][0]["parsed"]
    found: dict[str, list[str]] = {"listen": [], "server_name": [], "root": []}
    rest = []
    for directive in server["block"]:
        if directive["directive"] in found:
            found[directive["directive"]] += directive["args"]
        else:
            rest.append(_plain(directive))
    assert found == {"listen": list(conf.listen), "server_name": [conf.host], "root": [str(conf.root)]}
    return repr(rest)


def _plain(directive: dict[str, Any]) -> list[Any]:
    return [directive["directive"], directive["args"], [_plain(one) for one in directive.get("block", [])]]


@given(st.text(max_size=40) | st.tuples(hosts, st.sampled_from(ODD), st.text(max_size=5)).map("".join))
def test_a_host_is_a_host_name_or_nothing(text: str) -> None:
    if _is_name(text):
        assert read(render(SiteConf(text, CONF.root, CONF.listen))).host == text
    else:
        with pytest.raises(HostFailed):
            SiteConf(text, CONF.root, CONF.listen)


@pytest.mark.parametrize("odd", [*sorted(set(ODD) - set("/~")), "\u2028", "\x7f"])
@pytest.mark.parametrize("place", ["{}", "/{}", "/a{}b", "/a/b{}"])
def test_a_root_with_an_odd_character_is_refused(odd: str, place: str) -> None:
    with pytest.raises(HostFailed):
        SiteConf(CONF.host, Path(place.format(odd)), CONF.listen)


@pytest.mark.parametrize("root", ["relative/path", ".", "/", "/a/../b", "/..", "/a/.."])
def test_a_root_is_an_absolute_path_without_ways_up(root: str) -> None:
    with pytest.raises(HostFailed):
        SiteConf(CONF.host, Path(root), CONF.listen)


@pytest.mark.parametrize("listen", ["80", "1", "65535", "127.0.0.1:8080", "[::]:80", "[2001:db8::1]:443"])
def test_listen_has_three_forms(listen: str) -> None:
    assert read(render(SiteConf(CONF.host, CONF.root, (listen,)))).listen == (listen,)


@pytest.mark.parametrize(
    "listen",
    [
        (),
        ("80", "80"),
        ("",),
        ("0",),
        ("080",),
        ("65536",),
        ("80 default_server",),
        ("80;",),
        ("80\n",),
        ("*:80",),
        ("localhost:80",),
        ("unix:/run/x.sock",),
        ("1.2.3:80",),
        ("01.2.3.4:80",),
        ("1.2.3.4:",),
        ("::1:80",),
        ("[::1]",),
        ("[::1%lo;deny]:80",),
        ("[::1:80",),
        ("\u0668\u0660",),
    ],
)
def test_listen_has_no_other_form(listen: tuple[str, ...]) -> None:
    with pytest.raises(HostFailed):
        SiteConf(CONF.host, CONF.root, listen)


@given(st.integers(0, len(render(CONF)) - 1), st.text(min_size=0, max_size=3))
def test_any_other_text_is_refused(at: int, other: str) -> None:
    """One change anywhere: refused, or a value of the right form."""
    text = render(CONF)
    changed = text[:at] + other + text[at + 1 :]
    try:
        conf = read(changed)
    except HostFailed:
        return
    assert render(conf) == changed


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n",
        lambda text: text + "server { listen 81; }\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("    root ", "    root  "),
        lambda text: text.replace("    listen 80;", "    listen 80;\n    access_log /etc/cron.d/x;"),
        lambda text: text.replace("    listen 80;\n", ""),
        lambda text: text.replace("text/css", "text/evil"),
        lambda text: text.replace(MARK, "# Mine"),
        lambda text: text.replace("www.example.com", "www.example.com evil.example.com"),
        lambda text: text.replace("    root /var", "    root /var/lib;\n    root /var"),
        lambda text: "",
        lambda text: text + " " * 100_000,
    ],
)
def test_a_file_with_more_or_less_in_it_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(HostFailed):
        read(change(render(CONF)))


def test_the_mark_is_the_first_line() -> None:
    assert is_ours(render(CONF))
    assert MARK.startswith("# Made by Homeport")
    assert not is_ours(f"server {{}}\n{MARK}\n")
    assert not is_ours("")


def test_nothing_in_the_text_is_left_to_fill_in() -> None:
    text = render(CONF)
    assert "{{" not in text
    assert serving.NOT_FOUND in text
    assert all(f" {ending};" in text or f" {ending} " in text for ending in serving.BY_ENDING)


@pytest.mark.parametrize("page", [serving.NOT_FOUND, serving.NOT_ALLOWED])
def test_the_pages_can_stand_in_quotes(page: str) -> None:
    assert not set(page) & set('"$\\\n')


def test_the_template_can_be_read_beside_the_units() -> None:
    shown = Path(__file__).parents[2] / "nginx" / "site.conf"
    assert shown.read_text("utf-8").startswith(MARK)
