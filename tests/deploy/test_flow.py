"""What a process says, written into a log as it comes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.context import Context
from appliance.deploy.log import Log, read_all
from tests import inside

TOKEN = "S3NT1NEL-0123456789-abcdefghij"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        inside.save(made, cloudflare_token=TOKEN)
        yield made


@pytest.mark.parametrize("size", [1, 7, 29, 30, 31, 1000])
def test_a_secret_that_comes_in_two_pieces(ctx: Context, size: int) -> None:
    said = f"one {TOKEN} two\nthree {TOKEN}{TOKEN}\nfour {TOKEN[:12]}"
    flow = Log(ctx, "deployment").flow()
    for at in range(0, len(said), size):
        flow.take(said[at : at + size])
    flow.end()
    lines = [one.text for one in read_all(ctx, "deployment")]
    assert lines == ["one (secret) two", "three (secret)(secret)", f"four {TOKEN[:12]}"]


def test_a_line_that_never_ends_takes_no_memory(ctx: Context) -> None:
    flow = Log(ctx, "deployment").flow()
    for _ in range(200):
        flow.take("x" * 10_000)
    flow.end()
    (line,) = read_all(ctx, "deployment")
    assert len(line.text) < 10_000
