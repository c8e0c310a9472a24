"""DNS by Cloudflare, through the provider, over a socket."""

import dataclasses
import logging
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator

import pytest

from appliance import dns
from appliance.dns import Provider, Record
from appliance.errors import RemoteFailed
from appliance.model.checks import Check
from appliance.settings import Settings
from tests.fakes.cloudflare import FakeCloudflare

US = "0123456789abcdefghjk"
HOST = "shop.example.com"
HERE = "192.0.2.10"
ELSEWHERE = "203.0.113.9"
MARK = f"Homeport {US}: {HOST}"


@pytest.fixture
def cloudflare() -> Iterator[FakeCloudflare]:
    with FakeCloudflare() as fake:
        fake.add_zone("example.com")
        yield fake


@pytest.fixture
def provider(cloudflare: FakeCloudflare) -> Provider:
    return connect(cloudflare)


def connect(cloudflare: FakeCloudflare, *, token: str = "", instance: str = US) -> Provider:
    settings = Settings(cloudflare_token=token or cloudflare.token.secret, cloudflare_api=cloudflare.url)
    made = dns.provider(settings, instance)
    assert made is not None
    return made


def refusal(provider: Provider, host: str = HOST, target: str = HERE, *, proxied: bool = False) -> RemoteFailed:
    with pytest.raises(RemoteFailed) as caught:
        provider.point(host, target, proxied=proxied)
    return caught.value


# Making records


@pytest.mark.parametrize(
    ("target", "type", "content"),
    [
        (HERE, "A", HERE),
        ("2001:DB8:0::1", "AAAA", "2001:db8::1"),
        ("Port-1.example.net.", "CNAME", "port-1.example.net"),
    ],
)
def test_an_address_makes_a_or_aaaa_and_a_name_makes_cname(
    cloudflare: FakeCloudflare, provider: Provider, target: str, type: str, content: str
) -> None:
    assert provider.point(HOST, target, proxied=False) == Record(HOST, type, content, ours=True, proxied=False)
    (made,) = cloudflare.records
    assert (made.name, made.type, made.content, made.ttl, made.comment) == (HOST, type, content, 300, MARK)


def test_a_proxied_record_has_the_automatic_ttl(cloudflare: FakeCloudflare, provider: Provider) -> None:
    assert provider.point(HOST, HERE, proxied=True).proxied
    assert cloudflare.changes[0].body["ttl"] == 1
    assert cloudflare.records[0].proxied


def test_the_bare_name_of_a_zone_gets_a_record(cloudflare: FakeCloudflare, provider: Provider) -> None:
    provider.point("example.com", HERE, proxied=False)
    assert cloudflare.records[0].name == "example.com"


def test_twice_is_once(cloudflare: FakeCloudflare, provider: Provider) -> None:
    first = provider.point(HOST, HERE, proxied=False)
    assert provider.point(HOST, HERE, proxied=False) == first
    assert len(cloudflare.changes) == 1


def test_a_ttl_tuned_by_hand_is_left(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "A", HERE, ttl=60, comment=MARK)
    provider.point(HOST, HERE, proxied=False)
    assert not cloudflare.changes


def test_ours_is_edited_when_the_target_changes(cloudflare: FakeCloudflare, provider: Provider) -> None:
    old = cloudflare.add_record(HOST, "A", ELSEWHERE, comment=MARK)
    provider.point(HOST, HERE, proxied=True)
    (now,) = cloudflare.records
    assert (now.id, now.content, now.proxied) == (old.id, HERE, True)
    assert [each.method for each in cloudflare.changes] == ["PATCH"]


def test_ours_is_exchanged_in_one_request_when_its_type_changes(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "A", HERE, comment=MARK)
    cloudflare.add_record(HOST, "AAAA", "2001:db8::1", comment=MARK)
    provider.point(HOST, "port-1.example.net", proxied=False)
    (now,) = cloudflare.records
    assert (now.type, now.content, now.comment) == ("CNAME", "port-1.example.net", MARK)
    assert [each.path.rpartition("/")[2] for each in cloudflare.changes] == ["batch"]


def test_an_exchange_that_is_refused_leaves_the_old_record(cloudflare: FakeCloudflare, provider: Provider) -> None:
    old = cloudflare.add_record(HOST, "CNAME", "port-1.example.net", comment=MARK)
    assert refusal(provider, target="10.0.0.1", proxied=True).permanent
    assert cloudflare.records == [old]


def test_of_two_of_ours_the_right_one_stays(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "A", ELSEWHERE, comment=MARK)
    right = cloudflare.add_record(HOST, "A", HERE, comment=MARK)
    provider.point(HOST, HERE, proxied=False)
    assert cloudflare.records == [right]


def test_a_long_host_name_fits_the_comment_and_stays_ours(cloudflare: FakeCloudflare, provider: Provider) -> None:
    host = ".".join(["a" * 60, "b" * 60, "example.com"])
    assert provider.point(host, HERE, proxied=False).ours
    assert len(cloudflare.records[0].comment or "") == 100
    assert provider.remove(host)


# Zones


def test_the_zone_with_the_longest_name_is_meant(cloudflare: FakeCloudflare, provider: Provider) -> None:
    inner = cloudflare.add_zone("eu.example.com")
    provider.point("shop.eu.example.com", HERE, proxied=False)
    assert cloudflare.records[0].zone_id == inner.id


def test_of_two_zones_of_one_name_the_active_one_is_meant(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.zones.insert(0, dataclasses.replace(cloudflare.zones[0], status="moved", id="0" * 32))
    provider.point(HOST, HERE, proxied=False)
    assert cloudflare.records[0].zone_id == cloudflare.zones[1].id


def test_a_token_that_may_not_list_zones_finds_one_by_name(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.token.zone_list = False
    assert provider.point(HOST, HERE, proxied=False).ours


def test_no_zone_names_the_host_what_was_tried_and_the_permission(
    cloudflare: FakeCloudflare, provider: Provider
) -> None:
    why = refusal(provider, "www.shop.example.org")
    assert why.permanent
    assert why.detail == (
        "This Cloudflare token can read no zone for www.shop.example.org. "
        "Looked for: www.shop.example.org, shop.example.org, example.org."
    )
    assert why.todo[0] == "In Cloudflare, add Zone, Zone, Read and Zone, DNS, Edit for example.org to this token."


def test_a_host_of_many_labels_asks_for_few_zones(cloudflare: FakeCloudflare, provider: Provider) -> None:
    provider.point("a.b.c.d.e.f.g.h.i.j.k.l.example.com", HERE, proxied=False)
    assert len([each for each in cloudflare.requests if each.path == "/zones"]) == 8


def test_a_name_of_one_label_has_no_zone(provider: Provider) -> None:
    assert "Looked for: none" in refusal(provider, "intranet").detail


# Records that somebody else made


def test_one_made_by_hand_that_leads_here_is_accepted(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "A", HERE, proxied=True, comment="by hand")
    assert provider.point(HOST, HERE, proxied=False) == Record(HOST, "A", HERE, ours=False, proxied=True)
    assert not cloudflare.changes


def test_one_that_leads_elsewhere_is_left_alone_in_these_words(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "A", ELSEWHERE)
    why = refusal(provider)
    assert why.permanent
    assert why.code == "points_elsewhere"
    assert why.detail == (
        "shop.example.com points to 203.0.113.9, not to this host. "
        "That record was not made by Homeport, so it was left alone."
    )
    assert why.todo == ("Change it to A 192.0.2.10 where it is kept, then check again.",)
    assert not cloudflare.changes


@pytest.mark.parametrize(
    ("type", "content", "target"),
    [
        ("CNAME", "pages.example.org", HERE),
        ("A", ELSEWHERE, "port-1.example.net"),
        ("AAAA", "2001:db8::9", HERE),
        ("CNAME", "pages.example.org", "port-1.example.net"),
    ],
)
def test_a_record_of_another_type_is_left_alone_too(
    cloudflare: FakeCloudflare, provider: Provider, type: str, content: str, target: str
) -> None:
    cloudflare.add_record(HOST, type, content)
    why = refusal(provider, target=target)
    assert why.permanent
    assert f"points to {content}, not to this host" in why.detail
    assert not cloudflare.changes


def test_a_cname_that_leads_here_by_another_name_is_accepted(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "CNAME", "example.com")
    cloudflare.add_record("example.com", "A", HERE)
    assert provider.point(HOST, HERE, proxied=False) == Record(HOST, "CNAME", "example.com", ours=False)


def test_an_address_of_the_target_is_accepted_where_a_name_is_wanted(
    cloudflare: FakeCloudflare, provider: Provider
) -> None:
    cloudflare.add_record("port-1.example.com", "A", HERE)
    cloudflare.add_record(HOST, "A", HERE)
    assert not provider.point(HOST, "port-1.example.com", proxied=False).ours


def test_cnames_in_a_ring_come_to_an_end(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "CNAME", "www.example.com")
    cloudflare.add_record("www.example.com", "CNAME", HOST)
    assert refusal(provider).code == "points_elsewhere"


def test_an_address_of_the_other_family_may_stand_beside_one_that_leads_here(
    cloudflare: FakeCloudflare, provider: Provider
) -> None:
    cloudflare.add_record(HOST, "A", HERE)
    cloudflare.add_record(HOST, "AAAA", "2001:db8::9")
    assert provider.point(HOST, HERE, proxied=False).content == HERE


def test_a_second_address_that_leads_elsewhere_is_refused(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "A", HERE)
    cloudflare.add_record(HOST, "A", ELSEWHERE)
    assert ELSEWHERE in refusal(provider).detail


def test_one_added_by_hand_beside_ours_is_refused_and_ours_stays(
    cloudflare: FakeCloudflare, provider: Provider
) -> None:
    ours = cloudflare.add_record(HOST, "A", HERE, comment=MARK)
    cloudflare.add_record(HOST, "A", ELSEWHERE)
    assert ELSEWHERE in refusal(provider).detail
    assert ours in cloudflare.records


def test_ours_goes_when_one_made_by_hand_leads_here(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "A", ELSEWHERE, comment=MARK)
    by_hand = cloudflare.add_record(HOST, "A", HERE)
    assert not provider.point(HOST, HERE, proxied=False).ours
    assert cloudflare.records == [by_hand]


def test_records_of_other_types_are_no_obstacle(cloudflare: FakeCloudflare, provider: Provider) -> None:
    for number in range(120):  # more than a page, and the address after them
        cloudflare.add_record("example.com", "TXT", f"text {number}")
    cloudflare.add_record("example.com", "A", HERE)
    assert not provider.point("example.com", HERE, proxied=False).ours
    assert [each.query["page"] for each in cloudflare.requests if "page" in each.query] == ["2"]


def test_a_full_last_page_is_followed_by_an_empty_one(cloudflare: FakeCloudflare, provider: Provider) -> None:
    for number in range(100):
        cloudflare.add_record("example.com", "TXT", f"text {number}")
    assert provider.point("example.com", HERE, proxied=False).ours


def test_reading_ends_where_pages_never_do(cloudflare: FakeCloudflare, provider: Provider) -> None:
    record = {"id": "1", "name": HOST, "type": "TXT", "content": "x", "proxied": False, "ttl": 1}
    page = {"success": True, "errors": [], "messages": [], "result": [record] * 100}
    cloudflare.fail(200, method="GET", path="dns_records", times=1000, body=page)
    provider.point(HOST, HERE, proxied=False)
    assert len([each for each in cloudflare.requests if "dns_records" in each.path]) == 11


def test_another_appliance_is_somebody_else(cloudflare: FakeCloudflare, provider: Provider) -> None:
    connect(cloudflare, instance="zzzzzzzzzzzzzzzzzzzz").point(HOST, ELSEWHERE, proxied=False)
    assert refusal(provider).code == "points_elsewhere"
    assert not provider.remove(HOST)
    assert len(cloudflare.records) == 1


def test_a_record_of_ours_that_was_renamed_is_somebody_elses(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record("old.example.com", "A", HERE, comment=MARK)
    assert not provider.remove("old.example.com")
    assert len(cloudflare.records) == 1


def test_the_host_that_records_point_to_keeps_its_own(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record("port-1.example.com", "A", HERE)
    found = provider.point("port-1.example.com", "port-1.example.com", proxied=False)
    assert found == Record("port-1.example.com", "A", HERE, ours=False)


def test_a_host_does_not_point_to_itself(cloudflare: FakeCloudflare, provider: Provider) -> None:
    why = refusal(provider, "port-1.example.com", "port-1.example.com")
    assert why.permanent
    assert "point to itself" in why.detail
    assert not cloudflare.changes


# Somebody is quicker


def test_the_same_record_made_in_between_is_accepted(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.meanwhile("POST", lambda: cloudflare.add_record(HOST, "A", HERE))
    assert not provider.point(HOST, HERE, proxied=False).ours


def test_ours_made_in_between_is_ours(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.meanwhile("POST", lambda: cloudflare.add_record(HOST, "A", HERE, comment=MARK))
    assert provider.point(HOST, HERE, proxied=False).ours
    assert len(cloudflare.records) == 1


def test_a_cname_made_in_between_is_left_alone(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.meanwhile("POST", lambda: cloudflare.add_record(HOST, "CNAME", "pages.example.org"))
    assert "points to pages.example.org" in refusal(provider).detail


@pytest.mark.parametrize("code", [81053, 81054, 81057, 81058])
def test_a_clash_that_can_t_be_seen_ends_with_cloudflares_words(
    cloudflare: FakeCloudflare, provider: Provider, code: int
) -> None:
    cloudflare.fail(400, method="POST", times=2, code=code, message="Record already exists.")
    why = refusal(provider)
    assert why.permanent
    assert why.said == f"Record already exists ({code})"
    assert len(cloudflare.changes) == 2


def test_a_delegated_name_can_t_have_a_record(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "NS", "ns.example.org")
    why = refusal(provider)
    assert why.permanent
    assert "NS records with that host already exist" in why.detail


def test_ours_deleted_in_between_is_made_again(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_record(HOST, "A", ELSEWHERE, comment=MARK)
    cloudflare.meanwhile("PATCH", cloudflare.records.clear)
    assert provider.point(HOST, HERE, proxied=False).ours
    assert [each.content for each in cloudflare.records] == [HERE]


# Removing


def test_only_what_bears_our_mark_is_removed(cloudflare: FakeCloudflare, provider: Provider) -> None:
    theirs = cloudflare.add_record(HOST, "A", HERE, comment="by hand")
    text = cloudflare.add_record(HOST, "TXT", "v=spf1 -all")
    cloudflare.add_record(HOST, "A", ELSEWHERE, comment=MARK)
    cloudflare.add_record(HOST, "AAAA", "2001:db8::1", comment=MARK)
    assert provider.remove(HOST)
    assert cloudflare.records == [theirs, text]


def test_gone_already_is_fine(cloudflare: FakeCloudflare, provider: Provider) -> None:
    assert not provider.remove(HOST)
    cloudflare.add_record(HOST, "A", HERE, comment=MARK)
    cloudflare.meanwhile("DELETE", cloudflare.records.clear)
    assert not provider.remove(HOST)


def test_removing_twice_is_removing_once(cloudflare: FakeCloudflare, provider: Provider) -> None:
    provider.point(HOST, HERE, proxied=False)
    assert (provider.remove(HOST), provider.remove(HOST)) == (True, False)


# What Cloudflare refuses


def test_a_target_that_can_t_be_proxied_says_what_to_do(provider: Provider) -> None:
    why = refusal(provider, target="10.0.0.1", proxied=True)
    assert why.permanent
    assert why.said == "Target 10.0.0.1 is not allowed for a proxied record (9003)"
    assert why.detail == f"Cloudflare refused to make the record for {HOST}: {why.said}."
    assert why.todo[0].startswith("Turn the proxy off for this URL")


@pytest.mark.parametrize("target", ["", "https://example.net/", "192.0.2.10:80", "two words"])
def test_a_target_that_is_none_is_refused_without_asking(
    cloudflare: FakeCloudflare, provider: Provider, target: str
) -> None:
    why = refusal(provider, target=target)
    assert why.permanent
    assert "HOMEPORT_DNS_TARGET" in why.todo[0]
    assert not cloudflare.requests


def test_what_cloudflare_finds_wrong_with_a_record_is_quoted(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.zones[0].quota = 0
    why = refusal(provider)
    assert why.permanent
    assert why.said == "The record quota has been exceeded (81045)"


def test_a_zone_that_the_api_may_not_touch_is_no_missing_permission(
    cloudflare: FakeCloudflare, provider: Provider
) -> None:
    cloudflare.add_zone("example.tk")
    why = refusal(provider, "shop.example.tk")
    assert why.permanent
    assert why.code == "cloudflare_refused"
    assert "You cannot use this API for domains" in why.detail


def test_a_missing_permission_to_edit_is_named(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.zones[0].edit = False
    why = refusal(provider)
    assert why.permanent
    assert why.code == "cloudflare_permission"
    assert why.detail == "The Cloudflare token may not edit DNS in example.com."
    assert why.todo == ("In Cloudflare, add Zone, DNS, Edit for example.com to this token.",)
    assert why.said == "Authentication error (10000)"


def test_a_missing_permission_to_read_zones_is_named(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.token.zone_read = False
    why = refusal(provider)
    assert why.permanent
    assert why.detail == "The Cloudflare token may not read zones."
    assert "add Zone, Zone, Read" in why.todo[0]


@pytest.mark.parametrize("token", ["A" * 40, "short"])
def test_a_token_that_cloudflare_doesn_t_know(cloudflare: FakeCloudflare, token: str) -> None:
    why = refusal(connect(cloudflare, token=token))
    assert why.permanent
    assert why.code == "cloudflare_token"
    assert why.detail == "Cloudflare does not accept the API token."
    assert "Zone, DNS, Edit" in why.todo[0]


def test_a_token_that_may_not_be_used_from_here(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.token.used_from = "198.51.100.7"
    why = refusal(provider)
    assert why.permanent
    assert "198.51.100.7" in why.said
    assert "Client IP Address Filtering" in why.todo[0]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("42", "again in 42 seconds"),
        ("Fri, 20 Nov 2026 13:50:00 GMT", "again at 2026-11-20T13:50:00.000Z"),
        ("", "five minutes"),
        ("soon", "five minutes"),
    ],
)
def test_a_rate_limit_passes_and_says_when(
    cloudflare: FakeCloudflare, provider: Provider, header: str, words: str
) -> None:
    headers = {"retry-after": header} if header else {}
    text = "Please wait and consider throttling your request speed"
    cloudflare.fail(429, code=971, message=text, headers=headers)
    why = refusal(provider)
    assert not why.permanent
    assert words in why.detail
    assert text in why.said
    assert len(cloudflare.requests) == 1
    assert provider.point(HOST, HERE, proxied=False).ours


def test_a_rate_limit_under_another_status_is_one_too(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.fail(400, code=10429, message="Rate limited.")
    assert refusal(provider).code == "cloudflare_busy"


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 521, 525])
def test_a_fault_of_cloudflares_passes(cloudflare: FakeCloudflare, provider: Provider, status: int) -> None:
    cloudflare.fail(status, method="POST", body="<!doctype html><title>Bad gateway</title>")
    why = refusal(provider)
    assert not why.permanent
    assert why.detail == f"Cloudflare could not make the record for {HOST} (it answered {status})."
    assert provider.point(HOST, HERE, proxied=False).ours


@pytest.mark.parametrize("done", [False, True])
def test_a_connection_dropped_passes_and_the_record_is_made_once(
    cloudflare: FakeCloudflare, provider: Provider, done: bool
) -> None:
    cloudflare.fail(method="POST", drop=True, done=done)
    why = refusal(provider)
    assert not why.permanent
    assert "could not be reached at 127.0.0.1" in why.detail
    assert provider.point(HOST, HERE, proxied=False).ours
    assert len(cloudflare.records) == 1


def test_an_answer_that_comes_too_late_passes(
    cloudflare: FakeCloudflare, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.dns.cloudflare.api.TIMEOUT", 0.2)
    cloudflare.fail(method="POST", delay=30, done=True)
    why = refusal(provider)
    assert not why.permanent
    assert why.detail == "Cloudflare did not answer within 0.2 seconds."
    assert provider.point(HOST, HERE, proxied=False).ours
    assert len(cloudflare.records) == 1


def test_nobody_there_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = Settings(cloudflare_token="x" * 40, cloudflare_api=f"http://127.0.0.1:{port}/client/v4")
    provider = dns.provider(settings, US)
    assert provider is not None
    why = refusal(provider)
    assert not why.permanent
    assert "Connection refused" in why.detail


@pytest.mark.parametrize("body", ["<!doctype html><title>Sign in to the guest network</title>", {}, [], None, 7])
def test_an_answer_of_something_else_is_told_apart(
    cloudflare: FakeCloudflare, provider: Provider, body: object
) -> None:
    cloudflare.fail(200, body=body)
    assert "is not Cloudflare's API" in refusal(provider).detail
    cloudflare.fail(200, method="POST", body=body)
    assert "is not Cloudflare's API" in refusal(provider).detail


@pytest.mark.parametrize("status", [302, 401, 403, 404, 407])
def test_a_page_from_a_proxy_is_no_verdict_on_the_token(
    cloudflare: FakeCloudflare, provider: Provider, status: int
) -> None:
    cloudflare.fail(status, body="<!doctype html><title>Blocked by policy</title>")
    why = refusal(provider)
    assert not why.permanent
    assert "is not Cloudflare's API" in why.detail
    assert "proxy" in why.todo[0]


@pytest.mark.parametrize("url", ["", "api.example.com", "http://[", "ftp://example.com"])
def test_an_address_of_no_api_is_named(url: str) -> None:
    provider = dns.provider(Settings(cloudflare_token="x" * 40, cloudflare_api=url), US)
    assert provider is not None
    why = refusal(provider)
    assert why.permanent
    assert "HOMEPORT_CLOUDFLARE_API" in why.detail


# The token stays a secret

SENTINEL = "S3NT1NEL"


@pytest.mark.parametrize(
    "token",
    [
        f"{SENTINEL}\nX-More: 1",
        f"{SENTINEL}\r",
        f"Bearer {SENTINEL}",
        f"{SENTINEL}é",
        f"{SENTINEL}☃",
        f"{SENTINEL}\x00",
    ],
)
def test_a_malformed_token_is_refused_without_being_shown(cloudflare: FakeCloudflare, token: str) -> None:
    provider = connect(cloudflare, token=f"{token}{SENTINEL}")
    why = refusal(provider)
    assert why.permanent
    assert why.code == "cloudflare_token"
    assert SENTINEL not in everything(why)
    assert not cloudflare.requests


def test_space_around_a_token_is_no_matter(cloudflare: FakeCloudflare) -> None:
    assert connect(cloudflare, token=f" {cloudflare.token.secret}\n").point(HOST, HERE, proxied=False).ours


def test_the_token_is_in_no_error_and_no_log(
    cloudflare: FakeCloudflare, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = cloudflare.token.secret
    cloudflare.fail(400, code=1004, message=f"No such thing: {'x' * 470} {secret}")
    cloudflare.fail(403, code=10000, message=f"Bearer {secret}")
    cloudflare.fail(500, body=f"<pre>Authorization: Bearer {secret}</pre>")
    cloudflare.fail(429, body=f"<pre>Authorization: Bearer {secret}</pre>")
    cloudflare.fail(200, body=f"<pre>Authorization: Bearer {secret}</pre>")
    cloudflare.fail(drop=True)
    for _ in range(6):
        assert "S3NT1NEL" not in everything(refusal(provider))
    assert len(cloudflare.requests) == 6
    assert provider.point(HOST, HERE, proxied=False).ours
    assert secret not in caplog.text
    assert secret not in repr(provider)
    assert secret not in repr(provider.check((HOST,)))


def everything(why: RemoteFailed) -> str:
    return "\n".join([*traceback.format_exception(why), repr(why), why.detail, why.said, *why.todo])


def test_what_the_sdk_finds_in_the_environment_is_left_out(
    cloudflare: FakeCloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("EMAIL", "API_KEY", "API_TOKEN", "API_USER_SERVICE_KEY", "BASE_URL"):
        monkeypatch.setenv(f"CLOUDFLARE_{name}", "http://127.0.0.1:1/")
    assert connect(cloudflare).point(HOST, HERE, proxied=False).ours
    assert not [name for name in cloudflare.requests[0].headers if name.startswith("x-auth")]


# The Test button


def found(checks: list[Check]) -> list[tuple[str, str, str]]:
    return [(check.name, check.status, check.text) for check in checks]


def test_a_good_token_passes_every_check_and_changes_nothing(cloudflare: FakeCloudflare, provider: Provider) -> None:
    before = list(cloudflare.records)
    assert found(provider.check((HOST, "www.example.com"))) == [
        ("dns.token", "ok", "The token is active."),
        ("dns.zones", "ok", "The token may read 1 zone: example.com."),
        ("dns.edit.example.com", "ok", "The token may edit DNS in example.com."),
    ]
    assert cloudflare.records == before


def test_a_zone_that_may_not_be_edited_is_named_with_the_permission(
    cloudflare: FakeCloudflare, provider: Provider
) -> None:
    cloudflare.add_zone("example.net", edit=False)
    checks = provider.check((HOST, "www.example.net"))
    assert found(checks)[1:] == [
        ("dns.zones", "ok", "The token may read 2 zones: example.com, example.net."),
        ("dns.edit.example.com", "ok", "The token may edit DNS in example.com."),
        ("dns.edit.example.net", "failed", "The token may not edit DNS in example.net."),
    ]
    assert checks[3].mend == "In Cloudflare, add Zone, DNS, Edit for example.net to this token, then test again."


def test_without_hosts_the_zones_that_it_may_read_are_tried(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.add_zone("example.net", edit=False)
    assert [check.status for check in provider.check(())] == ["ok", "ok", "ok", "warn"]


def test_a_host_without_a_zone_is_named(provider: Provider) -> None:
    checks = provider.check((HOST, "www.example.org"))
    (lost,) = [check for check in checks if check.status == "failed"]
    assert lost.name == "dns.zone.www.example.org"
    assert "add Zone, Zone, Read and Zone, DNS, Edit for example.org" in lost.mend


def test_a_token_that_may_read_no_zone(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.token.zone_read = False
    checks = provider.check(())
    assert found(checks) == [
        ("dns.token", "ok", "The token is active."),
        ("dns.zones", "failed", "The token may read no zone."),
    ]
    assert "Zone, Zone, Read" in checks[1].mend


def test_a_token_for_some_zones_that_may_not_list_them(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.token.zone_list = False
    assert [check.status for check in provider.check((HOST,))] == ["ok", "ok", "ok"]


def test_a_zone_that_is_not_active_yet_is_said(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.zones[0].status = "pending"
    last = provider.check((HOST,))[-1]
    assert last.status == "warn"
    assert last.text == "example.com is pending at Cloudflare: nobody sees its records yet."


def test_when_it_can_t_be_told_the_check_says_so(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.fail(400, method="PATCH", code=9207, message="Request body is invalid.")
    last = provider.check((HOST,))[-1]
    assert last.status == "warn"
    assert "can't be known before a record is made" in last.text


def test_until_when_a_token_lasts_is_said(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.token.expires_on = "2027-01-01T00:00:00Z"
    assert provider.check(())[0].text == "The token is active until 2027-01-01."


@pytest.mark.parametrize("status", ["disabled", "expired"])
def test_a_token_that_is_not_active_fails(cloudflare: FakeCloudflare, provider: Provider, status: str) -> None:
    cloudflare.token.status = status
    assert found(provider.check((HOST,))) == [("dns.token", "failed", f"The Cloudflare token is {status}.")]


def test_a_token_of_an_account_is_unknown_to_verify_and_still_good(
    cloudflare: FakeCloudflare, provider: Provider
) -> None:
    cloudflare.token.owner = "account"
    checks = provider.check((HOST,))
    assert [check.status for check in checks] == ["ok", "ok", "ok"]
    assert checks[0].text == "Cloudflare accepts the token; it doesn't say until when."


def test_a_verify_call_that_is_not_allowed_is_no_verdict(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.fail(403, path="verify", code=9109, message="Unauthorized to access requested resource")
    assert [check.status for check in provider.check((HOST,))] == ["ok", "ok", "ok"]


def test_a_token_of_an_account_that_may_not_read_zones(cloudflare: FakeCloudflare, provider: Provider) -> None:
    cloudflare.token.owner, cloudflare.token.zone_read = "account", False
    (check,) = provider.check((HOST,))
    assert (check.status, check.text) == ("failed", "The Cloudflare token may not read zones.")


def test_an_unknown_token_fails_once(cloudflare: FakeCloudflare) -> None:
    (check,) = connect(cloudflare, token="A" * 40).check((HOST,))
    assert (check.name, check.status) == ("dns.token", "failed")
    assert "Zone, DNS, Edit" in check.mend


@pytest.mark.parametrize("path", ["/user/tokens/verify", "/zones"])
def test_a_check_never_raises_and_keeps_what_it_found(
    cloudflare: FakeCloudflare, provider: Provider, path: str
) -> None:
    cloudflare.fail(503, path=path, body="<html>")
    checks = provider.check((HOST,))
    assert checks[-1].name == "dns.cloudflare"
    assert checks[-1].status == "failed"
    assert "(it answered 503)" in checks[-1].text
    assert len(checks) == (1 if path.endswith("verify") else 2)


def test_the_sdk_is_imported_on_first_use_only() -> None:
    code = (
        "import sys; from appliance import dns; from appliance.settings import Settings;"
        "made = dns.provider(Settings(cloudflare_token='x' * 40), 'i'); assert made;"
        "sys.exit('cloudflare' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
