"""What people upload, in a real browser: a site on a host beside the appliance, and a log full of tricks."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.e2e.conftest import Open, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OURS, THEIRS = "deploy.example.net", "blog.example.net"
SECRET = "homeport_session"


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """An appliance and a site under one domain, so that a browser takes both for one site."""
    with Appliance(tmp_path_factory.mktemp("beside") / "data") as running:
        running.project("blog")
        running.deploy("blog", {"index.html": "<!doctype html><title>Theirs</title><p>theirs"})
        running.ask("POST", "/projects/blog/environments/production/urls?wait=20", json={"host": THEIRS})
        yield running


@pytest.fixture(scope="module")
def resolving(chromium: Browser) -> Iterator[Browser]:
    """A browser that finds both names on this machine."""
    rules = f"MAP {OURS} 127.0.0.1,MAP {THEIRS} 127.0.0.1"
    args = ["--no-sandbox", f"--host-resolver-rules={rules}"]
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=args)
    yield browser
    browser.close()


@pytest.fixture
def page(resolving: Browser, beside: Appliance) -> Iterator[Page]:
    """Signed in to the appliance."""
    with resolving.new_context(base_url=f"http://{OURS}:{beside.port}") as context:
        context.set_default_timeout(15_000)
        made = context.new_page()
        sign_in(made)
        yield made


def projects(server: Appliance) -> set[str]:
    return {one["name"] for one in server.get("/projects?limit=200")["items"]}


def neighbour(page: Page, server: Appliance) -> Page:
    made = page.context.new_page()
    made.goto(f"http://{THEIRS}:{server.port}/")
    assert made.title() == "Theirs"
    return made


def is_signed_in(page: Page) -> bool:
    page.goto("/projects")
    return not page.url.split("?")[0].endswith("/login")


def test_it_can_not_read_the_cookie(page: Page, beside: Appliance) -> None:
    assert SECRET in [one["name"] for one in page.context.cookies()]
    assert neighbour(page, beside).evaluate("document.cookie") == ""


def test_it_can_not_ride_it(page: Page, beside: Appliance) -> None:
    """A cookie goes along within one domain, whatever SameSite says: where the request comes from has to tell."""
    there = neighbour(page, beside)
    home = f"http://{OURS}:{beside.port}"
    fetched = there.evaluate(
        """async (home) => {
            const tried = [];
            for (const [path, more] of [
                ["/api/v1/projects", {method: "POST", body: '{"name": "ridden-a"}'}],
                ["/api/v1/projects", {method: "POST", body: '{"name": "ridden-b"}', mode: "no-cors"}],
                ["/new", {method: "POST", body: new URLSearchParams({name: "ridden-c"}), mode: "no-cors"}],
                ["/api/v1/projects", {}],
                ["/projects", {}],
            ]) {
                try {
                    const answer = await fetch(home + path, {credentials: "include", ...more});
                    tried.push(answer.type + ":" + (await answer.text()).length);
                } catch { tried.push("refused"); }
            }
            return tried;
        }""",
        home,
    )
    assert set(fetched) <= {"refused", "opaque:0"}
    there.set_content(f'<form method="post" action="{home}/new"><input name="name" value="ridden-d"></form>')
    with there.expect_navigation() as sent:
        there.evaluate("document.forms[0].submit()")
    assert sent.value.status == 403
    assert not [name for name in projects(beside) if name.startswith("ridden")]
    assert is_signed_in(page)


def test_it_can_not_put_one_in_its_place(page: Page, beside: Appliance) -> None:
    """A cookie for the whole domain reaches the appliance too, and may even come first."""
    there = neighbour(page, beside)
    for path in ("/", "/projects", "/api"):
        there.evaluate(f"document.cookie = '{SECRET}=evil; domain=example.net; path={path}'")
    assert is_signed_in(page)
    theirs = beside.http.post(f"{beside.url}/api/v1/login", json={"email": EMAIL, "password": PASSWORD}).json()["token"]
    there.evaluate(f"document.cookie = '{SECRET}={theirs}; domain=example.net; path=/projects'")
    refused = page.goto("/projects")
    assert refused and refused.status == 400, "nobody, rather than somebody else"
    assert "two sign-ins" in page.content()


def test_it_can_not_frame_it_nor_look_into_it(page: Page, beside: Appliance) -> None:
    there = neighbour(page, beside)
    home = f"http://{OURS}:{beside.port}"
    there.set_content(f'<iframe src="{home}/projects"></iframe>')
    there.wait_for_function("frames.length === 1")
    assert "Projects" not in there.frames[-1].content()
    with there.context.expect_page() as opened:
        there.evaluate(f"window.opened = window.open('{home}/projects')")
    opened.value.wait_for_load_state()
    for reach in ("opened.document.cookie", "opened.document.title", "opened.location.href", "opened.localStorage"):
        assert there.evaluate(f"(() => {{ try {{ return {reach}; }} catch {{ return null; }} }})()") is None


TRICKS = [
    b"<script>window.ran = 1</script>",
    b'<img src=x onerror="window.ran = 1">',
    b"</span></li></ol><svg onload=window.ran=1>",
    b"{{ 7 * 7 }} ${7*7} <a href=javascript:window.ran=1>click</a>",
    b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x1b[H\x9b31m",
    b"\x1b]8;;javascript:window.ran=1\x1b\\look here\x1b]8;;\x1b\\",
    b"\x1b]8;;https://evil.example.com/\x07another\x1b]8;;\x07",
    b"\xff\xfe\xc3\x28 \xed\xa0\x80 \xf8\x88\x80\x80\x80 broken",
    "\u202ereversed\u202c \u2028 line \u2029 apart \u200b".encode(),
    b'hx-get="/logout" hx-trigger=load data-close',
    b"long " + b"<b>" * 333_000,
    b"NUL \x00 \x08\x08\x08 back",
]


def _bad_lines() -> bytes:
    heads = b"2027-01-31T00:00:00.000Z\tunpack\tinfo\t"
    return b"".join(heads + trick + b"\n" for trick in TRICKS) + b"not even a line\n" + heads[:20]


def test_a_log_full_of_tricks_shows_them_and_does_none(server: Appliance, open_tab: Open) -> None:
    server.project("tricky")
    made = server.deploy("tricky", {"index.html": "x"})
    (log,) = (server.data / "logs").rglob(f"{made['id']}*")
    log.write_bytes(log.read_bytes() + _bad_lines())
    page = open_tab(server)
    ran: list[str] = []
    page.on("dialog", lambda dialog: ran.append(dialog.message))
    page.goto(f"/deployments/{made['id']}#log-panel")
    lines = page.locator("#log-panel li")
    assert lines.count() >= len(TRICKS)
    assert page.get_by_text("<script>window.ran = 1</script>").count() == 1
    assert page.evaluate("window.ran") is None and ran == []
    links = page.locator("#log-panel li a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert all(link.startswith("#L") for link in links)
    assert page.locator("#log-panel li :is(img, svg, script, b)").count() == 0
    page.get_by_label("Find in the log").fill("reversed")
    page.locator("#log-panel .hits", has_text="1").wait_for()
    page.goto(f"/api/v1/deployments/{made['id']}/log")
    assert page.evaluate("window.ran") is None
    assert page.locator("script, img, svg").count() == 0
