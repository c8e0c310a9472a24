import json
import os
import shutil
import socket
import string
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import Conflict, HostFailed
from appliance.machine import files, http
from appliance.nginx import helper
from appliance.nginx.helper import Answer, Refused, Rules, answer, candidates, judge
from appliance.nginx.helper_client import Helper, ask
from appliance.nginx.template import Conf, SiteConf, Wildcard, render
from appliance.settings import Settings
from tests.servers import Nginx

NOBODY = 65534
HOST = "www.example.com"
RULES = Rules(
    user="nobody",
    data=Path("/var/lib/homeport"),
    sites_available=Path("/etc/nginx/sites-available"),
    sites_enabled=Path("/etc/nginx/sites-enabled"),
    conf=Path("/etc/nginx/nginx.conf"),
    test=("nginx", "-t"),
    reload=("nginx", "-s", "reload"),
    listen=("80", "[::]:80"),
    host="127.0.0.1",
    listen_tls=("443",),
)
SITE = SiteConf(HOST, RULES.data / "sites/blog/production", ("80", "[::]:80"))
TEXT = render(SITE)
LINES = TEXT.split("\n")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the helper is root's")


# What is taken, and what is not


def taken(content: bytes, name: str = f"{HOST}.conf") -> Conf | None:
    try:
        return judge(RULES, name, content)
    except Refused as why:
        said = why.detail
    assert said.startswith(name.encode(errors="backslashreplace").decode())
    assert said.endswith("Nothing was changed.")
    return None


def is_allowed(conf: Conf, content: bytes, name: str) -> bool:
    """Said again in other words than the helper's, to hold it to them."""
    if isinstance(conf, Wildcard):
        return (
            content == render(conf).encode() and name == "@deployments.conf" and set(conf.listen) <= {"80", "[::]:80"}
        )
    project, environment = conf.root.parts[-2:]
    good = set(string.ascii_lowercase + string.digits + "-")
    return (
        content == render(conf).encode()
        and name == f"{conf.host}.conf"
        and set(conf.host) <= good | set("._")
        and str(conf.root) == f"/var/lib/homeport/sites/{project}/{environment}"
        and set(project + environment) <= good
        and set(conf.listen) <= {"80", "[::]:80"}
    )


EVIL = (
    "    access_log /etc/cron.d/x;",
    "    error_log /root/.ssh/authorized_keys;",
    "    ssl_certificate /etc/shadow;",
    "    ssl_certificate_key /etc/ssl/private/key.pem;",
    "load_module /tmp/evil.so;",
    "    include /etc/passwd;",
    "    root /etc;",
    "    root /var/lib/homeport/sites/blog/../../../../etc;",
    "    root /var/lib/homeport/sites/blog/production/..;",
    "    root /var/lib/homeport/sites/blog/production; autoindex on;",
    "    root /var/lib/homeport/sites/blog;",
    "    root /var/lib/homeport/nginx-wanted/x;",
    "    alias /etc/;",
    "    listen 8443;",
    "    listen 80 default_server;",
    "    listen unix:/run/evil.sock;",
    "    server_name other.example.com;",
    "    server_name www.example.com *.example.com;",
    "    server_name _;",
    "    proxy_pass http://127.0.0.1:8420;",
    "    disable_symlinks off;",
    "    # a comment",
    "    ;",
    "}",
    "}\nserver {",
    "    \r",
    "\0",
    "",
    " ",
    "\u2028",
    "    s\u0435rver_name www.example.com;",  # a Cyrillic letter
    '    add_header X "\\";\n    access_log /etc/x;\n    #";',
)


def test_a_rendering_is_taken() -> None:
    assert taken(TEXT.encode()) == SITE


@pytest.mark.parametrize("line", EVIL)
def test_no_line_can_be_put_in_or_in_place_of_another(line: str) -> None:
    for at in range(len(LINES) + 1):
        for instead in (0, 1):
            text = "\n".join([*LINES[:at], line, *LINES[at + instead :]])
            if text != TEXT:
                assert taken(text.encode()) is None, (at, instead)


def test_no_line_can_be_left_out_or_said_twice() -> None:
    for at, line in enumerate(LINES):
        without = "\n".join([*LINES[:at], *LINES[at + 1 :]]).encode()
        conf = taken(without)
        assert conf is None or is_allowed(conf, without, f"{HOST}.conf")  # of two listens, one will do
        assert taken("\n".join([*LINES[:at], line, *LINES[at:]]).encode()) is None


@pytest.mark.parametrize("tail", ["\n", " ", "}", "#", "\0", "load_module /tmp/x.so;", "\ufeff", "\r\n"])
def test_nothing_can_stand_before_or_after(tail: str) -> None:
    assert taken((TEXT + tail).encode()) is None
    assert taken((tail + TEXT).encode()) is None


def test_other_line_ends_and_encodings_are_not_taken() -> None:
    assert taken(TEXT.replace("\n", "\r\n").encode()) is None
    assert taken(TEXT.encode("utf-16")) is None
    assert taken(TEXT.encode() + b"\xff") is None
    assert taken(b"") is None


def test_the_refusal_names_the_line() -> None:
    text = TEXT.replace("    gzip off;", "    access_log /etc/x;")
    number = LINES.index("    gzip off;") + 1
    with pytest.raises(Refused) as refused:
        judge(RULES, f"{HOST}.conf", text.encode())
    assert refused.value.detail == (
        f"{HOST}.conf line {number} is not as Homeport writes it: '    access_log /etc/x;'. Nothing was changed."
    )


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        (replace(SITE, host="other.example.com"), "is for other.example.com"),
        (replace(SITE, root=Path("/etc/nginx")), "leads to /etc/nginx"),
        (replace(SITE, root=Path("/var/lib/homeport/sites/blog")), "is no site of this appliance"),
        (replace(SITE, root=Path("/var/lib/homeport/sites/blog/production/x")), "is no site of this appliance"),
        (replace(SITE, root=Path("/var/lib/homeport/sites/Blog/production")), "is no site of this appliance"),
        (replace(SITE, root=Path("/var/lib/homeport2/sites/blog/production")), "is no site of this appliance"),
        (replace(SITE, root=Path("/var/lib/homeport/sites/blog/production@x")), "is no site of this appliance"),
        (replace(SITE, root=Path("/var/lib/homeport/sites/blog/@0123456789abcdef")), "is no site of this appliance"),
        (replace(SITE, earlier=Path("/etc/nginx")), "leads to /etc/nginx as well"),
        (
            replace(SITE, earlier=Path("/var/lib/homeport/earlier/1/2")),
            "leads to /var/lib/homeport/earlier/1/2 as well",
        ),
        (replace(SITE, listen=("80", "8080")), "listens on 8080"),
    ],
)
def test_values_that_could_stand_there_but_are_not_allowed(conf: SiteConf, words: str) -> None:
    with pytest.raises(Refused, match=words):
        judge(RULES, f"{HOST}.conf", render(conf).encode())


@pytest.mark.parametrize(
    "name", ["other.example.com.conf", HOST, f"{HOST}.conf.conf", "..conf", ".conf", "\udcff.conf"]
)
def test_the_name_says_the_host(name: str) -> None:
    assert taken(TEXT.encode(), name) is None


spots = st.integers(0, len(TEXT))
letters = st.one_of(st.characters(codec="utf-8"), st.sampled_from([*"\r\0\n;{}#\"'$\\ \t", *EVIL]))


@st.composite
def mutants(draw: st.DrawFn) -> str:
    text = TEXT
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(spots), draw(st.sampled_from([0, 0, 1, 2, 40]))
        text = text[:at] + draw(st.one_of(letters, st.just(""))) + text[at + length :]
    return text


@given(mutants())
@settings(max_examples=1500, deadline=None)
def test_a_mutant_is_taken_only_if_it_is_a_rendering_of_allowed_values(text: str) -> None:
    content = text.encode()
    conf = taken(content)
    assert conf is None or is_allowed(conf, content, f"{HOST}.conf")


NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)


@given(
    NAMES,
    NAMES,
    st.from_regex(r"([a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?\.){1,3}[a-z]{2,8}", fullmatch=True),
    st.sampled_from([1, 2]),
)
@settings(max_examples=200, deadline=None)
def test_every_allowed_value_is_taken(project: str, environment: str, host: str, listens: int) -> None:
    conf = SiteConf(host, RULES.data / "sites" / project / environment, RULES.listen[:listens])
    assert taken(render(conf).encode(), f"{host}.conf") == conf


values = st.text(st.characters(codec="utf-8"), max_size=60)


@given(values, values, values)
@settings(max_examples=300, deadline=None)
def test_no_text_in_the_place_of_a_value_gets_out_of_it(host: str, root: str, listen: str) -> None:
    text = TEXT.replace("80;", f"{listen};", 1).replace("server_name www.example.com", f"server_name {host}")
    content = text.replace("root /var/lib/homeport/sites/blog/production", f"root {root}").encode()
    name = f"{host}.conf"
    conf = taken(content, name)
    assert conf is None or is_allowed(conf, content, name)


DEPLOYMENTS = Wildcard("deploys.example.com", "127.0.0.1:8420", ("80", "[::]:80"))


@pytest.mark.parametrize(
    "conf",
    [
        DEPLOYMENTS,
        replace(DEPLOYMENTS, listen=("80",)),
        replace(DEPLOYMENTS, upstream="[::1]:8420"),
        replace(DEPLOYMENTS, upstream="192.0.2.7:8420"),  # as root's rules say
    ],
)
def test_one_server_for_deployments_is_taken(conf: Wildcard) -> None:
    assert judge(replace(RULES, host="192.0.2.7"), "@deployments.conf", render(conf).encode()) == conf


@pytest.mark.parametrize(
    ("conf", "name", "words"),
    [
        (replace(DEPLOYMENTS, upstream="192.0.2.8:8420"), "@deployments.conf", "passes on to 192.0.2.8:8420"),
        (replace(DEPLOYMENTS, listen=("80", "8080")), "@deployments.conf", "listens on 8080"),
        (DEPLOYMENTS, "deploys.example.com.conf", "is for @deployments"),
    ],
)
def test_one_server_for_deployments_leads_to_this_appliance_alone(conf: Wildcard, name: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        judge(RULES, name, render(conf).encode())


@pytest.mark.parametrize("line", EVIL)
def test_no_line_can_be_put_into_the_server_for_deployments(line: str) -> None:
    lines = render(DEPLOYMENTS).split("\n")
    for at in range(len(lines) + 1):
        for instead in (0, 1):
            text = "\n".join([*lines[:at], line, *lines[at + instead :]])
            if text != render(DEPLOYMENTS):
                assert taken(text.encode(), "@deployments.conf") is None, (at, instead)


@given(values, values, values)
@settings(max_examples=300, deadline=None)
def test_no_text_in_the_place_of_its_values_gets_out_of_them(domain: str, upstream: str, listen: str) -> None:
    text = render(DEPLOYMENTS).replace("deploys.example.com", domain).replace("127.0.0.1:8420", upstream)
    content = text.replace("80", listen, 1).encode()
    conf = taken(content, "@deployments.conf")
    assert conf is None or is_allowed(conf, content, "@deployments.conf")


@pytest.mark.parametrize("domain", ["com", "*.example.com", "a b.com", "example.com;", "", "localhost", "192.0.2.1"])
def test_what_is_no_domain_can_not_be_written(domain: str) -> None:
    with pytest.raises(HostFailed, match="no domain"):
        Wildcard(domain, "127.0.0.1:8420", ("80",))


@pytest.mark.parametrize("upstream", ["8420", "localhost:8420", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:80;", "unix:/x"])
def test_what_is_no_address_can_not_be_passed_on_to(upstream: str) -> None:
    with pytest.raises(HostFailed, match="no address"):
        Wildcard("deploys.example.com", upstream, ("80",))


# Where candidates are read


@contextmanager
def as_nobody() -> Iterator[None]:
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users can get to, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="homeport-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def prepared(place: Path, nginx: Nginx) -> Rules:
    """The folders as `homeport install` makes them, for nobody."""
    data = place / "data"
    for folder in (data / "nginx", data / helper.WANTED):
        folder.mkdir(parents=True)
    os.chown(data, 0, NOBODY)
    data.chmod(0o1771)
    os.chown(data / helper.WANTED, NOBODY, NOBODY)
    return Rules.of(nginx.settings(data), "nobody")


@pytest.fixture
def rules(place: Path) -> Rules:
    return prepared(place, Nginx(place / "etc"))


def text_for(rules: Rules, host: str = HOST) -> str:
    return render(SiteConf(host, rules.data / "sites/blog/production", rules.listen))


def want(rules: Rules, host: str = HOST, text: str | None = None) -> Path:
    """As the appliance leaves it."""
    file = rules.data / helper.WANTED / f"{host}.conf"
    with as_nobody():
        file.write_text(text_for(rules, host) if text is None else text)
    return file


@needs_root
def test_a_candidate_of_the_appliance_is_read(rules: Rules) -> None:
    want(rules)
    assert set(candidates(rules)) == {HOST}


@needs_root
def test_what_root_has_in_force_may_stay_as_it_is(rules: Rules) -> None:
    """Also where root edited it: nothing is written for it. A byte more is judged like anything else."""
    edited = text_for(rules).replace("server_tokens off;", "server_tokens off; add_header X-Mine yes;")
    want(rules, text=edited)
    assert candidates(rules, {HOST: edited}) == {HOST: edited}
    for before in ({}, {HOST: text_for(rules)}, {HOST: f"{edited} "}, {"other.example.com": edited}):
        with pytest.raises(Refused):
            candidates(rules, before)


@needs_root
def test_no_folder_means_nothing_wanted(rules: Rules) -> None:
    (rules.data / helper.WANTED).rmdir()
    assert candidates(rules) == {}


def refusal(rules: Rules) -> str:
    with pytest.raises(Refused) as refused:
        candidates(rules)
    return refused.value.detail


@needs_root
def test_links_pipes_and_folders_are_not_read(rules: Rules, place: Path) -> None:
    outside = place / "outside"
    outside.write_text(text_for(rules))
    os.chown(outside, NOBODY, NOBODY)
    file = rules.data / helper.WANTED / f"{HOST}.conf"
    file.symlink_to(outside)
    assert "can't be opened" in refusal(rules)
    file.unlink()
    os.mkfifo(file)
    os.chown(file, NOBODY, NOBODY)
    assert "is not a plain file" in refusal(rules)
    file.unlink()
    file.mkdir()
    assert "is not a plain file" in refusal(rules)
    file.rmdir()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(file))
        assert "can't be opened" in refusal(rules)


@needs_root
def test_a_file_of_someone_else_is_not_read(rules: Rules, place: Path) -> None:
    """Or the line named in a refusal would tell what is in a file that only root may read."""
    secret = place / "secret"
    secret.write_text("root:secret")
    os.link(secret, rules.data / helper.WANTED / f"{HOST}.conf")
    said = refusal(rules)
    assert "belongs to root, not to nobody" in said
    assert "secret" not in said


@needs_root
def test_a_folder_of_someone_else_or_a_link_to_one_is_not_read(rules: Rules, place: Path) -> None:
    folder = rules.data / helper.WANTED
    os.chown(folder, 0, 0)
    assert f"{helper.WANTED} belongs to root" in refusal(rules)
    folder.rename(place / "elsewhere")
    folder.symlink_to(place / "elsewhere")
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        candidates(rules)
    assert not answer(rules, "apply").ok


@needs_root
def test_more_than_fits_is_not_read(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper, "MOST_BYTES", 16_384)
    want(rules, text=text_for(rules) + " " * helper.MOST_BYTES)
    assert "is larger than 16,384 bytes" in refusal(rules)
    monkeypatch.setattr(helper, "MOST_FILES", 1)
    want(rules)
    want(rules, "other.example.com")
    assert "more than 1 files" in refusal(rules)


# With NGINX


THEIRS = """server {{
    listen 127.0.0.1:{port};
    server_name theirs.example.com;
    return 200 theirs;
}}
"""


@pytest.fixture
def running(place: Path) -> Iterator[Rules]:
    """A real NGINX of its own, with someone else's site in it, and one release to serve."""
    nginx = Nginx(place / "etc")
    nginx.site("theirs", THEIRS.format(port=nginx.port))
    rules = prepared(place, nginx)
    site = rules.data / "sites/blog/production"
    site.mkdir(parents=True)
    (site / "index.html").write_text("the blog")
    with nginx:
        yield rules


def served(rules: Rules, host: str = HOST) -> str:
    address, _, port = rules.listen[0].rpartition(":")
    return http.look((address, int(port)), host).body.decode()


def eventually(rules: Rules, body: str, host: str = HOST) -> bool:
    """A reload is asked for and then done: the old workers answer for a moment yet."""
    found = (served(rules, host) == body for _ in range(500))
    return any(found)


def tree(rules: Rules) -> dict[str, str]:
    """Everything of ours that NGINX loads, to tell whether any of it changed."""
    folders = (rules.data / "nginx", rules.sites_available, rules.sites_enabled)
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    ours = (path for path in paths if path.name not in ("default", "theirs"))
    return {str(path): os.readlink(path) if path.is_symlink() else path.read_text() for path in ours}


@needs_root
@pytest.mark.nginx
def test_what_is_wanted_is_put_in_force_and_taken_out(running: Rules) -> None:
    file = want(running)
    assert answer(running, "apply") == Answer(True, "1 changed.", (HOST,), settled=True)
    assert eventually(running, "the blog")
    placed = running.data / "nginx" / f"{HOST}.conf"
    assert (placed.stat().st_uid, placed.stat().st_mode & 0o7777) == (0, 0o644)
    for folder in (running.sites_available, running.sites_enabled):
        assert os.readlink(folder / f"homeport-{HOST}.conf") == str(placed)
    assert answer(running, "apply") == Answer(True, "0 changed.", settled=True)
    file.unlink()
    assert answer(running, "apply").changed == (HOST,)
    assert tree(running) == {}
    assert eventually(running, "the default site\n")


@needs_root
@pytest.mark.nginx
def test_looking_changes_nothing(running: Rules) -> None:
    want(running)
    assert answer(running, "test") == Answer(True, "1 would change.", (HOST,))
    assert answer(running, "status") == Answer(True, "0 URLs are in force, 1 differ from what is wanted.", (HOST,))
    assert tree(running) == {}


@needs_root
@pytest.mark.parametrize("word", ["", "APPLY", "apply /etc/passwd", "restart", "apply\napply", "../apply"])
def test_no_other_word_is_known(rules: Rules, word: str) -> None:
    said = answer(rules, word)
    assert not said.ok
    assert "test, apply, status" in said.said


@needs_root
@pytest.mark.nginx
def test_one_bad_candidate_holds_up_all(running: Rules) -> None:
    want(running)
    want(running, "evil.example.com", text_for(running, "evil.example.com").replace("gzip off;", "access_log /etc/x;"))
    said = answer(running, "apply")
    assert (said.ok, said.changed) == (False, ())
    assert "evil.example.com.conf line " in said.said
    assert tree(running) == {}


@needs_root
@pytest.mark.nginx
def test_a_name_that_another_site_has_stays_that_sites(running: Rules) -> None:
    want(running, "theirs.example.com")
    said = answer(running, "apply")
    assert not said.ok
    assert said.error["kind"] == "Conflict"
    assert "has the server_name theirs.example.com already" in said.said
    assert tree(running) == {}
    assert served(running, "theirs.example.com") == "theirs"


@needs_root
@pytest.mark.nginx
def test_a_file_in_the_way_is_not_touched(running: Rules) -> None:
    (running.sites_enabled / f"homeport-{HOST}.conf").write_text("# mine\n")
    want(running)
    before = tree(running)
    assert answer(running, "apply").error["kind"] == "Conflict"
    assert tree(running) == before


@needs_root
@pytest.mark.nginx
def test_a_host_that_is_broken_already_is_left_alone(running: Rules) -> None:
    (running.sites_available / "theirs").write_text("nonsense;\n")
    want(running)
    before = tree(running)
    said = answer(running, "apply")
    assert not said.ok
    assert "nonsense" in said.said
    assert tree(running) == before


@needs_root
@pytest.mark.nginx
def test_a_reload_that_fails_puts_everything_back(running: Rules) -> None:
    want(running)
    assert answer(running, "apply").ok
    before = tree(running)
    want(running, "second.example.com")
    (running.data / helper.WANTED / f"{HOST}.conf").unlink()
    said = answer(replace(running, reload=("false",)), "apply")
    assert not said.ok
    assert "NGINX could not be told" in str(said.error["detail"])
    assert tree(running) == before


@needs_root
@pytest.mark.nginx
def test_a_candidate_that_is_swapped_meanwhile_has_no_effect(running: Rules, place: Path) -> None:
    """The test command stands for the moment between looking and writing."""
    file = want(running)
    swap = place / "swap"
    swap.write_text(f"#!/bin/sh\necho 'load_module /tmp/evil.so;' > {file}\nexec {' '.join(running.test)} \"$@\"\n")
    swap.chmod(0o755)
    assert answer(replace(running, test=(str(swap),)), "apply").ok
    assert "evil" in file.read_text()
    assert (running.data / "nginx" / f"{HOST}.conf").read_text() == text_for(running)
    assert "line 1 is not as Homeport writes it" in answer(running, "apply").said
    assert eventually(running, "the blog")


@needs_root
@pytest.mark.nginx
def test_a_helper_that_is_killed_leaves_whole_files_and_the_next_ends_the_work(running: Rules, place: Path) -> None:
    want(running)
    kill = place / "kill"
    kill.write_text("#!/bin/sh\nkill -9 $PPID\n")
    kill.chmod(0o755)
    with listening(replace(running, reload=(str(kill),)), place) as path:
        with pytest.raises(HostFailed, match="ended without an answer"):
            ask(path, "apply")
    assert (running.data / "nginx" / f"{HOST}.conf").read_text() == text_for(running)
    assert served(running) == "the default site\n"
    assert answer(running, "apply") == Answer(True, "0 changed.", settled=True)
    assert eventually(running, "the blog")


@needs_root
@pytest.mark.nginx
def test_what_is_not_roots_own_is_written_anew(running: Rules) -> None:
    want(running)
    assert answer(running, "apply").ok
    placed = running.data / "nginx" / f"{HOST}.conf"
    os.chown(placed, NOBODY, NOBODY)
    (running.sites_available / f"homeport-{HOST}.conf").unlink()
    assert answer(running, "apply").changed == (HOST,)
    assert placed.stat().st_uid == 0
    assert (running.sites_available / f"homeport-{HOST}.conf").is_symlink()


@needs_root
def test_where_someone_else_could_change_what_nginx_loads_nothing_is_done(rules: Rules) -> None:
    want(rules)
    os.chown(rules.data, NOBODY, NOBODY)
    said = answer(rules, "apply").said
    assert f"{rules.data} belongs to nobody" in said, "its owner could put another folder in place of nginx"
    os.chown(rules.data, 0, NOBODY)
    rules.data.chmod(0o771)
    assert "may write in" in answer(rules, "apply").said
    rules.data.chmod(0o1771)
    for folder in (rules.data / "nginx", rules.sites_available, rules.sites_enabled):
        folder.chmod(0o777)
        assert f"may write in {folder}" in answer(rules, "apply").said
        folder.chmod(0o755)
    os.chown(rules.conf, NOBODY, NOBODY)
    assert f"{rules.conf} belongs to nobody" in answer(rules, "apply").said
    assert tree(rules) == {}


@needs_root
def test_the_appliance_can_not_put_another_folder_in_place_of_roots(rules: Rules) -> None:
    with as_nobody():
        with pytest.raises(PermissionError):
            (rules.data / "nginx").rename(rules.data / "away")
        with pytest.raises(PermissionError):
            (rules.data / "nginx" / "x.conf").touch()
        (rules.data / "homeport.db").touch()
        (rules.data / "homeport.db").unlink()


# Over a socket, as systemd does it


ACCEPT = """
import socket, subprocess, sys
main = "import sys, pathlib; from appliance.nginx.helper import main; sys.exit(main(pathlib.Path(sys.argv[1])))"
server, started = socket.socket(fileno=int(sys.argv[1])), []
try:
    while True:
        client, _ = server.accept()
        with client:
            started.append(subprocess.Popen([sys.executable, "-c", main, sys.argv[2]], stdin=client))
except OSError:
    for one in started:
        one.wait()
"""


@contextmanager
def listening(rules: Rules, place: Path) -> Iterator[Path]:
    """Accept=yes: each connection gets a process of its own with the socket as its standard input."""
    config = place / "nginx-helper.json"
    files.write_whole(config, rules.text(), mode=0o600)
    path = place / "nginx.sock"
    env = {**os.environ, "LD_LIBRARY_PATH": "/evil", "PYTHONPATH": str(Path(__file__).parents[2]), "SECRET": "leaked"}
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o666)
        server.listen()
        words = [sys.executable, "-c", ACCEPT, str(server.fileno()), str(config)]
        with subprocess.Popen(words, pass_fds=[server.fileno()], env=env):
            try:
                yield path
            finally:
                server.shutdown(socket.SHUT_RDWR)


@needs_root
@pytest.mark.nginx
def test_a_word_over_the_socket(running: Rules, place: Path) -> None:
    want(running)
    with listening(running, place) as path:
        with as_nobody():
            assert ask(path, "status")["changed"] == [HOST]
            said = {"ok": True, "said": "1 changed.", "changed": [HOST], "error": {}, "settled": True}
            assert ask(path, "apply") == said
        assert ask(path, f"apply {'x' * 200}")["ok"] is False
    assert eventually(running, "the blog")


@needs_root
def test_only_the_appliance_and_root_are_answered(rules: Rules, place: Path) -> None:
    with listening(rules, place) as path:
        os.seteuid(1)
        try:
            with pytest.raises(HostFailed, match="ended without an answer"):
                ask(path, "status")
        finally:
            os.seteuid(0)
        assert ask(path, "status")["ok"] is True


@needs_root
def test_nothing_of_the_surroundings_reaches_the_commands(running: Rules, place: Path) -> None:
    spy = place / "spy"
    spy.write_text(f'#!/bin/sh\nenv > {place}/env\npwd > {place}/cwd\nexec {" ".join(running.test)} "$@"\n')
    spy.chmod(0o755)
    with listening(replace(running, test=(str(spy),)), place) as path:
        assert ask(path, "test")["ok"] is True
    env = dict(line.split("=", 1) for line in (place / "env").read_text().splitlines())
    assert env.pop("PATH") == helper.PATH
    assert set(env) <= {"LC_ALL", "PWD", "_", "SHLVL", "OLDPWD"}
    assert (place / "cwd").read_text() == "/\n"


@needs_root
def test_rules_that_another_could_write_are_not_gone_by(rules: Rules, place: Path) -> None:
    with listening(rules, place) as path:
        os.chown(place / "nginx-helper.json", NOBODY, NOBODY)
        with pytest.raises(HostFailed, match="ended without an answer"):
            ask(path, "status")
        os.chown(place / "nginx-helper.json", 0, 0)
        (place / "nginx-helper.json").write_text("{}")
        with pytest.raises(HostFailed, match="ended without an answer"):
            ask(path, "status")


@needs_root
@pytest.mark.nginx
def test_several_at_once_take_turns(running: Rules, place: Path) -> None:
    want(running)
    answers: list[bool] = []
    with listening(running, place) as path:
        asking = [threading.Thread(target=lambda: answers.append(ask(path, "apply")["ok"])) for _ in range(4)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
    assert answers == [True] * 4
    assert eventually(running, "the blog")


def test_nobody_there_to_ask(place: Path) -> None:
    with pytest.raises(HostFailed) as silent:
        ask(place / "nginx.sock", "status")
    assert "homeport-nginx.socket" in silent.value.todo[0]


# As the appliance uses it


@pytest.fixture
def hands(running: Rules, place: Path) -> Iterator[Helper]:
    with listening(running, place) as path:
        yield Helper(replace(running.settings, nginx_helper=path))


@needs_root
@pytest.mark.nginx
def test_the_appliance_puts_a_url_in_force_through_the_helper(running: Rules, hands: Helper) -> None:
    text = text_for(running)
    with as_nobody():
        hands.test({HOST: text})
        assert hands.standing() == {}
        hands.apply({HOST: text})
        assert hands.standing() == {HOST: text}
        assert hands.traces() == {HOST}
    assert eventually(running, "the blog")
    with as_nobody():
        hands.apply({HOST: None})
        assert hands.standing() == {}


@needs_root
@pytest.mark.nginx
def test_what_was_refused_stands_in_nobodys_way(running: Rules, hands: Helper) -> None:
    with as_nobody():
        hands.apply({HOST: text_for(running)})
        with pytest.raises(Conflict, match=r"theirs\.example\.com already"):
            hands.test({"theirs.example.com": text_for(running, "theirs.example.com")})
        with pytest.raises(HostFailed, match="line 1 is not as Homeport writes it"):
            hands.test({"evil.example.com": "load_module /tmp/evil.so;"})
        hands.apply({"second.example.com": text_for(running, "second.example.com")})
        assert set(hands.standing()) == {HOST, "second.example.com"}


@needs_root
@pytest.mark.nginx
def test_what_was_left_lying_there_is_not_put_in_force(running: Rules, hands: Helper) -> None:
    want(running, "left.example.com")
    with as_nobody():
        hands.apply({HOST: text_for(running)})
        assert set(hands.standing()) == {HOST}


@needs_root
@pytest.mark.nginx
def test_root_leaves_nothing_where_the_appliance_works(running: Rules, hands: Helper) -> None:
    with pytest.raises(HostFailed, match="asked for by nobody, not by root"):
        hands.test({HOST: text_for(running)})
    hands.test({})


def test_the_rules_come_back_from_their_file(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: the rules are root's")
    (tmp_path / "rules.json").write_text(RULES.text())
    assert Rules.load(tmp_path / "rules.json") == RULES
    assert Rules.of(Settings(nginx_listen="80 [::]:80"), "nobody") == RULES
    assert json.loads(RULES.text())["listen"] == ["80", "[::]:80"]
