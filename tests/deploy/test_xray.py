"""The X-ray: what is said of a release, from trees as they are built."""

import hashlib
import zlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.deploy.xray import facts, glance, look
from appliance.deploy.xray.links import joined
from appliance.deploy.xray.remembered import Memory
from appliance.model.manifests import Manifest, Piece
from appliance.model.rules import Redirect, Rules
from appliance.model.xrays import Finding, Report
from tests.appliance import Files

PLAIN = Rules()
# put together here, so that nobody who searches this repository for keys finds one
GITHUB = "ghp" + "_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB\n"


def manifest_of(files: Files) -> Manifest:
    found = {}
    for path, text in files.items():
        data = text.encode() if isinstance(text, str) else text
        found[path] = Piece(len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data))
    return found


def xray(top: Path, files: Files, before: Files | None = None, rules: Rules = PLAIN) -> Report:
    for path, text in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(text.encode() if isinstance(text, str) else text)
    return look(top, manifest_of(files), manifest_of(before) if before else None, rules)


def finding(report: Report, code: str) -> Finding:
    return next(one for one in report.findings if one.code == code)


def codes(report: Report) -> list[str]:
    return [one.code for one in report.findings]


def test_a_sound_site_has_nothing_to_say(tmp_path: Path) -> None:
    files: Files = {
        "index.html": '<link rel=stylesheet href=style.css><a href="blog/#top">x</a><a href="/blog/?a=1">y</a>'
        '<a href="https://example.com/gone">z</a><a href="mailto:a@example.com">m</a>'
        '<img src="data:image/png;base64,A">',
        "blog/index.html": '<a href="..">up</a><img src="../img/a%20b.png" srcset="/img/a%20b.png 2x,../img/c.png 3x">',
        "img/a b.png": b"1",
        "img/c.png": b"2",
        "style.css": "body{background:url('img/c.png')} @font-face{src:url(data:font/woff2;base64,A)} /* url(n.png) */",
    }
    report = xray(tmp_path, files)
    assert (report.findings, report.state, report.pages, report.files) == ((), "done", 2, 5)


def test_links_that_lead_nowhere_are_named_with_their_page(tmp_path: Path) -> None:
    files = {
        "index.html": '<a href="/gone/">x</a><a href=about>y</a>',
        "a/index.html": "<a href='../gone/'>x</a>",
        "about.html": "<a href='/gone/'>x</a><!-- <a href='/no'> --><script>var a = '<a href=\"/nor-this\">'</script>",
    }
    broken = finding(xray(tmp_path, files), "broken_links")
    assert broken.level == "warning"
    assert broken.count == 3
    assert broken.examples == ("../gone/ on a/index.html", "/gone/ on index.html and 1 more", "about on index.html")


def test_what_the_rules_answer_is_not_broken(tmp_path: Path) -> None:
    files = {"index.html": '<a href="/old/a/b">x</a><a href="/u/7">y</a><a href="/about">z</a>', "about.html": "a"}
    rules = Rules(clean_urls=True, redirects=(Redirect("/old/*", "/"), Redirect("/u/:id", "/")))
    assert codes(xray(tmp_path, files, rules=rules)) == []
    assert finding(xray(tmp_path, files), "broken_links").count == 3


def test_with_a_fallback_pages_answer_but_missing_scripts_stay_missing(tmp_path: Path) -> None:
    files = {"index.html": '<a href="/settings">x</a><script type=module src="/assets/index-1.js"></script>'}
    report = xray(tmp_path, files, rules=Rules(fallback="index.html"))
    assert codes(report) == ["missing_assets"]
    assert finding(report, "missing_assets").examples == ("/assets/index-1.js on index.html",)


def test_what_a_stylesheet_asks_for_is_looked_up_from_its_own_folder(tmp_path: Path) -> None:
    files: Files = {
        "index.html": "<style>@import 'css/b.css'; i{background:url(css/i.svg)}</style>",
        "css/b.css": "i{background:url(../x.png)} b{background:url('x.png')}",
        "x.png": b"1",
        "css/i.svg": "<svg/>",
    }
    assert finding(xray(tmp_path, files), "missing_assets").examples == ("x.png on css/b.css",)


def test_letters_of_the_wrong_size(tmp_path: Path) -> None:
    files: Files = {
        "index.html": '<img src="/Img/Logo.PNG"><a href="/About/">x</a>',
        "img/logo.png": b"1",
        "about/index.html": "",
    }
    report = xray(tmp_path, files)
    assert codes(report) == ["case_links"]
    assert finding(report, "case_links").examples == ("/About/ on index.html", "/Img/Logo.PNG on index.html")


def test_names_that_are_one_file_on_other_disks(tmp_path: Path) -> None:
    report = glance(manifest_of({"index.html": "", "A.png": "1", "a.png": "2"}), None)
    assert finding(report, "case_names").examples == ("A.png and a.png",)


def test_a_site_built_for_a_folder_says_which_base_path_to_set(tmp_path: Path) -> None:
    files = {
        "index.html": '<script type="module" src="/repo/assets/index-BfQ2nV7x.js"></script><a href="/repo/about/"></a>',
        "about/index.html": "",
        "assets/index-BfQ2nV7x.js": "1",
    }
    report = xray(tmp_path, files)
    assert codes(report) == ["base_path"]
    assert "/repo/" in finding(report, "base_path").text
    assert "`base` in vite.config" in finding(report, "base_path").todo


def test_secrets_are_named_and_never_shown(tmp_path: Path) -> None:
    files = {
        "index.html": "x",
        "app.js": f"// a\nconst token = '{GITHUB}'",
        "certs/site.txt": KEY,
        "manual.html": "use AKIAIOSFODNN7" + "EXAMPLE or ghp" + "_" + "x" * 36,
    }
    report = xray(tmp_path, files)
    assert codes(report) == ["private_keys", "tokens"]
    assert finding(report, "tokens").examples == ("app.js, line 2: GitHub token",)
    assert finding(report, "private_keys").examples == ("certs/site.txt, line 1: private key",)
    assert GITHUB not in report.text
    assert "MIIEpAIBAAKCAQEA" not in report.text


def test_files_that_are_not_for_everybody(tmp_path: Path) -> None:
    files = dict.fromkeys(
        ("index.html", "prod.env", "conf/id_rsa", "db.sql.gz", "tls.key", "talk.key", "key.html", "a.js.map"), "1"
    )
    report = glance(manifest_of(files), None)
    assert finding(report, "secret_files").examples == ("conf/id_rsa", "db.sql.gz", "prod.env", "tls.key")
    assert finding(report, "source_maps").examples == ("a.js.map",)


def test_against_what_was_live() -> None:
    before = manifest_of({"index.html": "1", "old.html": "2", "same.html": "3"})
    after = manifest_of({"index.html": "11", "new.html": "4", "same.html": "3"})
    report = glance(after, before, "d1")
    assert (report.added.names, report.removed.names, report.changed.names) == (
        ("new.html",),
        ("old.html",),
        ("index.html",),
    )
    assert report.against == "d1"


def test_a_release_that_lost_most_files_is_noticed() -> None:
    before = manifest_of({f"{number}.html": str(number) for number in range(20)} | {"index.html": "x"})
    assert codes(glance(manifest_of({"index.html": "x"}), before)) == ["mostly_gone"]


def test_a_folder_too_high_is_noticed() -> None:
    report = glance(manifest_of({"dist/index.html": "x", "package.json": "{}"}), None)
    assert "dist/index.html" in finding(report, "no_index").todo


def test_weight_counts_what_a_page_loads_once(tmp_path: Path) -> None:
    page = (
        '<link rel=stylesheet href=a.css><script src=a.js></script><img src=p.png><img src="/p.png">'
        '<img src=p.png srcset="p2.png 2x">'
    )
    files: Files = {
        "index.html": page,
        "a.css": "1" * 10,
        "a.js": "2" * 100,
        "p.png": b"3" * 1000,
        "p2.png": b"4" * 5000,
    }
    report = xray(tmp_path, files)
    assert report.heaviest_pages[0].size == len(page) + 10 + 100 + 1000
    assert [one.path for one in report.heaviest_files[:2]] == ["p2.png", "p.png"]


def test_a_heavy_page_is_noted(tmp_path: Path) -> None:
    report = xray(tmp_path, {"index.html": "<img src=p.png>", "p.png": b"3" * 4_000_000})
    assert finding(report, "heavy_pages").examples == ("index.html: 4.0 MB",)


def test_what_built_it(tmp_path: Path) -> None:
    said = {"index.html": '<meta name="generator" content="Hugo 0.140.0">'}
    assert xray(tmp_path / "a", said).generator == "Hugo 0.140.0"
    assert xray(tmp_path / "b", {"index.html": "x", "_next/static/chunks/a.js": "1"}).generator == "Next.js"
    assert xray(tmp_path / "c", {"index.html": "x"}).generator == ""


def test_a_single_page_app_is_seen_and_what_a_fallback_would_change(tmp_path: Path) -> None:
    files = {
        "index.html": '<div id=app></div><script type=module src="/assets/index-1.js"></script>',
        "assets/index-1.js": "1",
    }
    report = xray(tmp_path, files)
    assert report.single_page
    assert codes(report) == ["single_page"]
    assert codes(xray(tmp_path, files, rules=Rules(fallback="index.html"))) == []


def test_a_report_is_kept_and_read_back_whole(tmp_path: Path) -> None:
    report = xray(tmp_path, {"index.html": '<a href="/gone">x</a>', "a.js.map": "{}"}, {"index.html": "y"})
    assert Report.of(report.text) == report


def test_what_is_remembered_says_the_same_again(tmp_path: Path) -> None:
    """Every sort of fact, and files that say nothing."""
    files: Files = {
        "index.html": '<base href="/a/"><meta name=generator content="Hugo 1"><a href="gone">é</a><img src="b.png">'
        '<script type=module src="/x.js"></script><img srcset="/c.png 2x">',
        "keys.txt": f"one\n{GITHUB}\n{KEY}",
        "style.css": "a{background:url(/no.png)}",
        "copy.css": "a{background:url(/no.png)}",
        "empty.html": "<p>nothing",
    }
    fresh, first = xray(tmp_path, files), Memory()
    manifest = manifest_of(files)
    assert look(tmp_path, manifest, None, PLAIN, memory=first) == fresh
    again = Memory(first.written())
    for path in files:
        (tmp_path / path).unlink()
    assert look(tmp_path, manifest, None, PLAIN, memory=again) == fresh
    assert (first.new, again.new) == (4, 0)
    assert again.written() == first.written()


def test_a_report_stays_small_however_much_is_wrong(tmp_path: Path) -> None:
    page = "".join(f'<a href="/gone/{"x" * 300}{number}">x</a>' for number in range(5000))
    report = xray(tmp_path, {"index.html": page})
    assert finding(report, "broken_links").count == 5000
    assert len(report.text) < 5000


@given(st.text(alphabet="<>\"'= aAsScript!-/\n&#x;{}href()urlé", max_size=300))
def test_no_page_is_too_odd_to_read(text: str) -> None:
    facts.of_html(text.encode())
    facts.of_css(text.encode())
    facts.of_html(text.encode("utf-16"))


@given(st.lists(st.sampled_from(["a", "b", "..", ".", "c.html"]), max_size=6))
def test_a_relative_reference_never_leaves_the_top(steps: list[str]) -> None:
    path = joined("/x/y/", "/".join(steps))
    assert path.startswith("/")
    assert ".." not in path.split("/")


def test_reading_takes_time_in_proportion_to_the_size() -> None:
    """Nothing in a page can make it slow: what is never closed is read but once."""
    for odd in (
        "<!--",
        "<script>",
        "<a href='",
        '<a href="',
        "<a <a ",
        "<style",
        "url(",
        "@import '",
        "/*",
        "srcset=, ",
    ):
        facts.of_html((odd * (200_000 // len(odd))).encode())
        facts.of_css((odd * (200_000 // len(odd))).encode())
