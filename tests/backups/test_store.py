"""Backups in an S3-compatible store."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.backups import bucket
from appliance.errors import RemoteFailed
from appliance.machine.aws import Request, sign
from appliance.machine.s3 import Bucket
from tests.fakes import s3


@pytest.fixture
def store() -> Iterator[s3.Store]:
    with s3.Store() as running:
        yield running


def place(store: s3.Store, prefix: str = "homeport", **more: Any) -> bucket.Store:
    given = {"region": s3.REGION, "name": s3.BUCKET, "key_id": s3.KEY_ID, "secret": s3.SECRET, "pause": 0.001, **more}
    return bucket.Store(Bucket(endpoint=store.url, **given), prefix, s3.LEAST_PART)


EXAMPLE: dict[str, str] = {
    "key_id": "AKIAIOSFODNN7EXAMPLE",
    "secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "region": "us-east-1",
}
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
HOST = {"host": "examplebucket.s3.amazonaws.com"}


@pytest.mark.parametrize(
    ("request_", "signature"),
    [
        (
            Request("GET", "/test.txt", "", {**HOST, "Range": "bytes=0-9"}, EMPTY),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            Request("GET", "/", "lifecycle=", HOST, EMPTY),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            Request("GET", "/", "max-keys=2&prefix=J", HOST, EMPTY),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
        (
            Request(
                "PUT",
                "/test%24file.text",
                "",
                {**HOST, "Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
                "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            ),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
    ],
)
def test_requests_are_signed_as_amazon_documents_it(request_: Request, signature: str) -> None:
    signed = sign(request_, datetime(2013, 5, 24, tzinfo=UTC), **EXAMPLE)
    assert signed["authorization"].endswith(f"Signature={signature}")


@pytest.mark.parametrize("size", [0, 1, s3.LEAST_PART, s3.LEAST_PART + 1, 3 * s3.LEAST_PART - 7])
def test_what_is_kept_comes_back(store: s3.Store, size: int) -> None:
    there, data = place(store, "some where/ü"), os.urandom(size)
    with there.keep("homeport-1+x y.tar") as sink:
        for at in range(0, size, 700_001):
            sink.write(data[at : at + 700_001])
    assert store.objects == {"some where/ü/homeport-1+x y.tar": data} and not store.uploads
    there.check("homeport-1+x y.tar", size)
    assert b"".join(there.read("homeport-1+x y.tar")) == data
    there.remove("homeport-1+x y.tar")
    assert not store.objects
    with pytest.raises(RemoteFailed, match="not there any more"):
        there.check("homeport-1+x y.tar", size)


def test_what_is_broken_off_leaves_nothing(store: s3.Store) -> None:
    def break_off() -> None:
        with place(store).keep("x.tar") as sink:
            sink.write(bytes(s3.LEAST_PART))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert not store.objects and not store.uploads


def test_parts_of_one_that_was_killed_are_swept_and_no_others(store: s3.Store) -> None:
    there = place(store)
    for key in ("homeport/x.tar", "homeport/x.tar.more", "other/x.tar"):
        there.bucket.ask("POST", key, {"uploads": ""})
    there.sweep("x.tar")
    assert sorted(one.key for one in store.uploads.values()) == ["homeport/x.tar.more", "other/x.tar"]


def test_a_failure_by_chance_is_tried_again(store: s3.Store) -> None:
    store.failures = [503, 500]
    with place(store).keep("x.tar") as sink:
        sink.write(b"x")
        store.failures = [502, 503, 504]
    assert store.objects["homeport/x.tar"] == b"x"
    store.failures = [500] * 4
    with pytest.raises(RemoteFailed) as why:
        place(store).size("x.tar")
    assert not why.value.permanent


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"secret": "another"}, "the secret does not belong to the key id"),
        ({"key_id": "another"}, "the key id is not known there"),
        ({"region": "another"}, "the region is another"),
        ({"name": "another"}, "no such bucket"),
    ],
)
def test_a_refusal_says_what_is_wrong(store: s3.Store, more: dict[str, str], words: str) -> None:
    with pytest.raises(RemoteFailed, match=words) as why, place(store, **more).keep("x.tar"):
        pass
    assert why.value.permanent and len(store.asked) == 1, "it is not tried again"
    assert s3.SECRET not in repr(place(store)) and s3.SECRET not in str(why.value)


@pytest.mark.parametrize("action", ["PutObject", "GetObject", "DeleteObject"])
def test_a_refusal_names_the_permission_that_is_missing(store: s3.Store, action: str) -> None:
    store.allowed.remove(action)

    def use() -> None:
        there = place(store)
        with there.keep("x.tar") as sink:
            sink.write(b"x")
        there.check("x.tar", 1)
        there.remove("x.tar")

    with pytest.raises(RemoteFailed, match=f"s3:{action}"):
        use()


def test_nobody_there_is_said(store: s3.Store) -> None:
    there = place(store, pause=0.0)
    store.__exit__(None, None, None)
    with pytest.raises(RemoteFailed, match="can't be reached"):
        there.size("x.tar")
    store.__enter__()


def test_the_bucket_may_stand_in_the_host_name() -> None:
    there = Bucket("https://s3.example.net", "r", "backups", "k", "s", path_style=False)
    assert there.url == "https://backups.s3.example.net"
    assert Bucket("https://s3.example.net/base", "r", "backups", "k", "s").url == "https://s3.example.net/base/backups"
