"""One URL as an NGINX file: every value that is taken comes back, and nothing else can get in."""

import re
import string
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import crossplane
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from appliance.errors import HostFailed, Invalid
from appliance.model import header_lines, redirect_lines, serving
from appliance.model.answers import is_hidden
from appliance.model.fronts import STATUSES, Front, network
from appliance.model.rules import Guard, Rules
from appliance.model.urls import UrlPatch, host_name, url_host
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


# Rules with everything in them that a parser takes. What NGINX does with them is for test_answers.

odd = st.text(st.sampled_from("ab/.;{}#\"'$\\%&=+~^|(),:*! n\t"), max_size=12)
seen = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=8)
sources = (odd | seen).map(lambda text: f"/{text}")
words = st.sampled_from(["", "", "301", "302!", "200", "404!", "410", "301 Language=de,en"])
lines = st.tuples(sources, st.sampled_from(["", "id=:id ", "id=$x;{} "]), sources, words).map(
    lambda it: f"{it[0]} {it[1]}{it[2]} {it[3]}"
)
pairs = st.tuples(st.sampled_from(["X-A", "x-a", "X-$'#{}", "Cache-Control"]), odd).map(": ".join)
blocks = st.tuples(sources, st.lists(pairs, max_size=3)).map(lambda it: "\n  ".join([it[0], *it[1]]))
rules = st.builds(
    Rules,
    clean_urls=st.booleans(),
    fallback=odd.filter(lambda text: text.isprintable() and not is_hidden(f"/{text}".encode())),
    redirects=st.lists(lines, max_size=5).map(lambda them: redirect_lines.parse("\n".join(them).encode())[0]),
    headers=st.lists(blocks, max_size=3).map(lambda them: header_lines.parse("\n".join(them).encode())[0]),
    pages=st.sampled_from(["no-cache", 'private="a;{}$x", max-age=1']),
    bridge=st.booleans(),
)
guards = st.builds(
    Guard,
    user=st.sampled_from(["me", 'a;{}#"$\\ b', "ü"]),
    password=st.sampled_from(["", "$2b$05$abcdefghijklmnopqrstuu"]),
    maintenance=st.sampled_from(["", "", "Back at 5;{}#\"'$x\\ <b>ü</b>"]),
)
DEEP = Path("/var/lib/homeport/sites/blog/production@0123456789abcdef")
full = st.builds(
    SiteConf,
    hosts,
    st.just(DEEP),
    st.just(("80",)),
    rules,
    guards,
    st.sampled_from([None, Path("/var/lib/homeport/earlier/1")]),
    st.sampled_from([(), ("brotli",), ("brotli", "zstd")]),
)
slow = hypothesis_settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
MAY_STAND = {
    "": {"server", "map", "geo"},
    "map": None,
    "geo": {"default"},
    "types": None,
    "if": {"set", "return", "break"},
    "location": {
        *("set", "return", "break", "if", "try_files", "rewrite", "types", "default_type"),
        *("root", "auth_basic", "add_header"),
    },
}
ONCE = {"server", "server_name", "uninitialized_variable_warn"}


@given(confs)
@slow
def test_what_is_rendered_is_read_back(conf: SiteConf) -> None:
    assert read(render(conf)) == conf


@given(full)
@slow
def test_rules_and_guards_are_read_back_too(conf: SiteConf) -> None:
    assert read(render(conf)) == conf


@given(confs)
@slow
def test_no_value_adds_a_directive(conf: SiteConf) -> None:
    """A parser that isn't ours finds these values, and otherwise the same file for every URL."""
    assert _shape(render(conf), conf) == _shape(render(CONF), CONF)


@given(full)
@slow
def test_no_rule_adds_a_directive(conf: SiteConf) -> None:
    """A parser that isn't ours finds the directives that there should be, with the values that were given."""
    found = list(_directives(_parsed(render(conf))))
    for inside, name, _ in found:
        allowed = MAY_STAND.get(inside, _SERVER)
        assert allowed is None or name in allowed, (inside, name)
    names = [name for inside, name, _ in found if inside not in ("types", "map")]
    assert all(names.count(name) <= 1 for name in ONCE)
    roots = [args for _, name, args in found if name == "root"]
    if conf.guard.maintenance:
        assert roots == []
        return
    assert roots == [[str(conf.root)], *([[str(conf.earlier)]] if conf.rules.bridge and conf.earlier else [])]
    assert [args for _, name, args in found if name == "auth_basic_user_file"] == (
        [[str(conf.users)]] if conf.guard.password else []
    )
    _check_headers(conf, found)
    _check_targets(conf, found)


def _check_headers(conf: SiteConf, found: list[tuple[str, str, list[str]]]) -> None:
    """Each header that may be sent is added once, and each value is put together from what was given."""
    added = [args[0] for inside, name, args in found if (inside, name) == ("server", "add_header")]
    names = {name.lower() for block in conf.rules.headers for name, _ in block.headers}
    names |= {name.lower() for block in conf.rules.headers for name in block.removed}
    assert len(added) == len({name.lower() for name in added})
    assert {name.lower() for name in added} - {"vary"} == names | {
        *("cache-control", "last-modified", "allow", "x-content-type-options"),
    }
    joined = [args[1] for _, name, args in found if name == "set" and "}${homeport_s" in args[1]]
    given = [value for block in conf.rules.headers for _, value in block.headers]
    assert [re.sub(r"^\$\{homeport_h\d+\}\$\{homeport_s\d+\}", "", text) for text in joined] == given


def _check_targets(conf: SiteConf, found: list[tuple[str, str, list[str]]]) -> None:
    """What leads away is a code and one variable, and every text in it was in a target."""
    for _, name, args in found:
        if name == "return" and args[0] in {"301", "302"}:
            assert re.fullmatch(r"\$homeport_(to|sent)(\$is_args\$args)?", args[1])
        if name == "set" and args[0] in ("$homeport_to", "$homeport_show"):
            texts = re.split(r"\$\{homeport_(?:to|show|\d+)\}", args[1])
            assert all(any(text in unquoted for unquoted in _targets(conf)) for text in texts)


def _targets(conf: SiteConf) -> list[str]:
    return [unquote(one.target) if one.in_place else one.target for one in conf.rules.redirects]


def _directives(block: list[dict[str, Any]], inside: str = "") -> Iterator[tuple[str, str, list[str]]]:
    for one in block:
        args = [_as_nginx_reads(arg) for arg in one["args"]]
        yield inside, one["directive"], args
        yield from _directives(one.get("block", []), one["directive"])


def _as_nginx_reads(arg: str) -> str:
    """The parser leaves it at quotes; NGINX reads a few more, and has a dollar sign only by a variable."""
    text = re.sub(r"\\([\\'trn])", lambda found: {"t": "\t", "r": "\r", "n": "\n"}.get(found[1], found[1]), arg)
    return text.replace("${homeport_dollar}", "$")


def _parsed(text: str) -> list[dict[str, Any]]:
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        parsed = crossplane.parse(file.name, single=True, check_ctx=False)
    assert parsed["errors"] == []
    block: list[dict[str, Any]] = parsed["config"][0]["parsed"]
    return [one for one in block if one["directive"] != "#"]


def _shape(text: str, conf: SiteConf) -> str:
    """The tree of directives without the three values, which are checked on the way."""
    (server,) = _parsed(text)
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


_SERVER = {one["directive"] for one in next(it for it in _parsed(render(CONF)))["block"]} | {
    *("auth_basic", "auth_basic_user_file", "brotli_static", "zstd_static", "return"),
}


@slow
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


@slow
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
        lambda text: text.replace("#= {", "#= { "),
        lambda text: text.replace("#= {", "#= {\n#= "),
        lambda text: text.replace("#= {", "#= [{"),
        lambda text: text.replace('"listen":["80"]', '"listen":"80"'),
        lambda text: text.replace('"root"', '"more":1,"root"'),
        lambda text: text.replace('"root"', '"rules":{},"root"'),
        lambda text: text.replace('"root"', '"guard":{"user":1},"root"'),
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


# What stands before one URL

numbers = st.ip_addresses().map(str) | st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(
    lambda it: f"{it[0]}/{it[1]}"
)
networks = (
    (numbers | st.tuples(st.ip_addresses(v=6), st.integers(0, 95)).map(lambda it: f"{it[0]}/{it[1]}"))
    .filter(lambda text: not text.startswith("::ffff:"))  # written as IPv4, or refused
    .map(network)
)
lists = st.lists(networks, min_size=1, max_size=4, unique=True).map(tuple)
wild = hosts.map(lambda host: f"*.{host}")
fronted = st.builds(
    SiteConf,
    hosts | wild,
    st.just(DEEP),
    st.just(("80",)),
    guard=guards,
    front=st.builds(Front, hosts, st.sampled_from(STATUSES)) | st.builds(Front, allow=lists) | st.just(Front()),
    proxies=lists | st.just(()),
)


@given(fronted)
@slow
def test_what_stands_before_a_url_is_read_back_and_adds_nothing(conf: SiteConf) -> None:
    """A parser that isn't ours finds one server, one name, and each address, proxy and target where it was put."""
    text = render(conf)
    assert read(text) == conf
    found = list(_directives(_parsed(text)))
    allowed = {**MAY_STAND, "geo": None, "location": {*(MAY_STAND["location"] or ()), "error_page"}}
    for inside, name, _ in found:
        may = allowed.get(inside, _SERVER)
        assert may is None or name in may, (inside, name)
    names = [(inside, name) for inside, name, _ in found]
    assert names.count(("", "server")) == 1 and names.count(("server", "server_name")) == 1
    assert [args for _, name, args in found if name == "server_name"] == [[conf.host]]
    front = conf.front
    let_in = [name for inside, name, args in found if inside == "geo" and args == ["1"]]
    assert let_in == list(front.allow)
    believed = [args[0] for inside, name, args in found if (inside, name) == ("geo", "proxy")]
    assert believed == (list(conf.proxies) if front.allow else [])
    away = [args for inside, name, args in found if (inside, name) == ("location", "return") and "://" in args[-1]]
    there = f"$scheme://{front.redirect_to}$homeport_port$request_uri"
    assert away == ([[str(front.redirect_status), there]] if front.redirect_to else [])


@given(st.text(max_size=40) | st.text(st.sampled_from("0123456789abcdef:./*; {}\n#$%"), max_size=30))
@slow
def test_no_text_that_is_taken_for_a_url_or_a_network_is_more_than_one(text: str) -> None:
    for check, good in ((url_host, r"(\*\.)?[a-z0-9._-]+"), (network, r"[0-9a-f:./]+")):
        try:
            taken = check(text)
        except ValueError:
            continue
        assert re.fullmatch(good, taken), (text, taken)
        assert check(taken) == taken
    try:
        patch = UrlPatch.parse({"redirect_to": text, "allow": [text], "user": text})
    except Invalid:
        return
    assert all(network(one) == one for one in patch.allow or ())


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "*.*.example.com"},
        {"host": "*.com;"},
        {"host": "a.*.example.com"},
        {"front": Front("a.example.com; return 200")},
        {"front": Front("*.example.com")},
        {"front": Front("a.example.com", 200)},
        {"front": Front(allow=("10.0.0.1/8",))},
        {"front": Front(allow=("10.0.0.0/8; deny all",))},
        {"front": Front(allow=("all",))},
        {"front": Front(password="$2b$05$abcdefghijklmnopqrstuu")},
        {"front": Front(allow=("10.0.0.0/8",)), "proxies": ("include x",)},
    ],
)
def test_what_stands_before_a_url_is_refused_where_it_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(HostFailed):
        SiteConf(**{"host": "www.example.com", "root": DEEP, "listen": ("80",), **wrong})
