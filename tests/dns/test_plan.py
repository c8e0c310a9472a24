"""What becomes of the records of one name, before anything is asked of anyone."""

from dataclasses import replace

import pytest

from appliance.dns.plan import MOST_DELETED, Plan, pointing, removing
from appliance.dns.rows import Row
from appliance.errors import RemoteFailed

WANTED = Row("", "shop.example.com", "A", "192.0.2.10", False, "ours")
OLD = replace(WANTED, id="1", content="192.0.2.9")
NAME = replace(WANTED, id="2", type="CNAME", content="port.example.net")


def verbs(plan: Plan) -> list[str]:
    return [change.verb for change in plan.changes]


def planned(*ours: Row, accepted: Row | None = None) -> Plan:
    return pointing(WANTED, ours, accepted, lambda row: row.content == WANTED.content)


def test_each_change_says_why() -> None:
    assert verbs(planned()) == ["create"]
    assert verbs(planned(OLD)) == ["update"]
    assert verbs(planned(NAME)) == ["delete", "create"]
    assert verbs(planned(replace(WANTED, id="3", ttl=60))) == ["leave"]
    assert all(change.why for plan in (planned(), planned(OLD), planned(NAME)) for change in plan.changes)


def test_one_is_enough() -> None:
    assert verbs(planned(replace(WANTED, id="3"), OLD, NAME)) == ["leave", "delete", "delete"]


def test_what_was_made_by_hand_and_leads_there_is_left_and_ours_gives_way() -> None:
    by_hand = replace(WANTED, mark="")
    assert verbs(planned(OLD, replace(WANTED, id="3"), accepted=by_hand)) == ["leave", "leave", "delete"]


def test_a_mark_beside_nothing_is_no_record() -> None:
    lost = replace(WANTED, there=False)
    plan = planned(lost)
    assert (verbs(plan), plan.gone, plan.made) == (["update"], [lost], [replace(WANTED, id="")])


def test_more_than_one_name_ever_needs_is_not_deleted() -> None:
    many = [replace(OLD, id=str(number)) for number in range(MOST_DELETED + 1)]
    assert removing(WANTED.host, many[1:]).checked().changes_anything
    with pytest.raises(RemoteFailed, match="more than the 5 deleted at once") as caught:
        removing(WANTED.host, many).checked()
    assert caught.value.permanent and caught.value.todo
