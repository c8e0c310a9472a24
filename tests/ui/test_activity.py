"""Each record in words."""

import re
from pathlib import Path

from appliance.model.activity import Activity
from appliance.ui.activity import KINDS, SENTENCES, SHORT, short

SOURCES = Path(__file__).resolve().parents[2] / "appliance"
RECORDED = re.compile(r'record(?:_in|_of)?\([^)]*?f?"([a-z]+\.[a-z_]+)"', re.DOTALL)


def recorded() -> set[str]:
    return {verb for path in SOURCES.rglob("*.py") for verb in RECORDED.findall(path.read_text())}


def test_every_verb_that_is_recorded_has_a_sentence() -> None:
    assert recorded() <= SENTENCES.keys()
    assert "project.create" in recorded()


def test_every_sentence_belongs_to_a_kind_that_can_be_chosen_or_is_rare() -> None:
    kinds = {kind for kind, _ in KINDS}
    rare = {"setup", "homeport", "domain", "activity", "mail", "provider", "identity", "secret", "factor", "login"}
    rare |= {"dns", "notification"}
    assert {verb.partition(".")[0] for verb in SENTENCES} - kinds <= rare
    assert SHORT.keys() <= SENTENCES.keys()


def test_a_short_word_for_a_list() -> None:
    one = Activity(
        id=1,
        at="2026-11-20T14:32:07.000Z",
        actor="ci key",
        actor_kind="key",
        verb="deployment.create",
        subject="#129",
        project="blog",
        environment="staging",
        deployment="x",
        door="api",
        ip="192.0.2.44",
        data={},
    )
    assert short(one).words == "ci key started #129"
    assert short(one).door == "API, 192.0.2.44"
