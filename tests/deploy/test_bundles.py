"""What a bundle may be, through the door: refused ones leave nothing behind, odd but good ones are served."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.appliance import Appliance
from tests.archives import EVIL, GOOD, LIMITS, Evil, Good

EVIL_HERE = [one for one in EVIL if one.limits == LIMITS]


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """With the limits that the evil zips were made for."""
    limits = {"HOMEPORT_BUNDLE_MAX_FILES": str(LIMITS.max_files), "HOMEPORT_BUNDLE_MAX_SIZE": str(LIMITS.max_size)}
    with Appliance(tmp_path_factory.mktemp("strict") / "data", **limits) as server:
        server.project("blog")
        server.deploy("blog", {"index.html": "still here"})
        yield server


@pytest.mark.parametrize("evil", EVIL_HERE, ids=lambda evil: evil.name)
def test_an_evil_zip_is_refused_and_leaves_nothing(strict: Appliance, evil: Evil) -> None:
    before = kept(strict)
    answer = strict.send("blog", evil.make())
    problem = answer.json()
    assert answer.status_code == 422, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:homeport:{evil.code}", problem
    assert problem["detail"].endswith(".")
    if evil.entry is not None:
        assert evil.entry in problem["detail"]
    assert strict.visit("blog").text == "still here"
    assert kept(strict) == before


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.name)
def test_an_odd_but_good_zip_is_served(strict: Appliance, good: Good) -> None:
    answer = strict.send("blog", good.make())
    assert answer.status_code == 201, answer.text
    for name, content in good.files.items():
        if any(part.startswith(".") and part != ".well-known" for part in name.split("/")):
            continue
        got = strict.visit("blog", f"/{quote(name)}")
        assert got.status_code == 200, name
        assert got.content == content, name
    log = strict.log(answer.json()["id"])
    for left_out in good.left_out:
        assert f"Left out {left_out}" in log
    strict.deploy("blog", {"index.html": "still here"})


def kept(server: Appliance) -> set[str]:
    """Every file that a bundle or release could leave."""
    folders = ("bundles", "releases", "incoming")
    return {str(path) for folder in folders for path in (server.data / folder).rglob("*") if path.is_file()}
