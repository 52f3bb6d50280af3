"""The form of an API key, and what is kept of it."""

import hashlib
import string

import pytest

from pushcenter.access import keys
from pushcenter.access.models import ApiKey
from tests import factories

GOOD = keys.generate(test=False)


@pytest.mark.parametrize(("test", "kind"), [(False, "pc_live_"), (True, "pc_test_")], ids=["live", "test"])
def test_a_new_key_says_what_it_is_and_is_well_formed(test: bool, kind: str) -> None:
    key = keys.generate(test=test)
    assert key.startswith(kind)
    assert len(key) == 8 + 32 + 6
    assert set(key[8:]) <= set(string.ascii_letters + string.digits)
    assert keys.is_well_formed(key)


def test_no_two_keys_are_alike() -> None:
    assert len({keys.generate(test=False) for _ in range(200)}) == 200


def other(character: str) -> str:
    return "a" if character != "a" else "b"


MISTYPED = {
    "empty": "",
    "kind alone": "pc_live_",
    "too short": GOOD[:-1],
    "too long": GOOD + "a",
    "another kind": "pc_prod_" + GOOD[8:],
    "no kind": GOOD[8:],
    "kind in capitals": GOOD[:8].upper() + GOOD[8:],
    "first character changed": GOOD[:8] + other(GOOD[8]) + GOOD[9:],
    "last character changed": GOOD[:-1] + other(GOOD[-1]),
    "blank in front": " " + GOOD,
    "line end behind": GOOD + "\n",
    "other letters": GOOD[:8] + "é" * 32 + GOOD[-6:],
    "null characters": GOOD[:8] + "\0" * 38,
    "very long": "pc_live_" + "a" * 100_000,
}


@pytest.mark.parametrize("key", MISTYPED.values(), ids=MISTYPED)
def test_what_cannot_be_a_key_is_not_well_formed(key: str) -> None:
    assert not keys.is_well_formed(key)


def test_the_checksum_finds_two_neighbours_that_changed_places() -> None:
    key = next(key for key in (keys.generate(test=False) for _ in range(50)) if key[10] != key[11])
    swapped = key[:10] + key[11] + key[10] + key[12:]
    assert not keys.is_well_formed(swapped)


@pytest.mark.django_db
def test_only_hash_and_prefix_of_a_key_are_kept() -> None:
    row, secret = factories.key()
    kept = ApiKey.objects.filter(pk=row.pk).values().get()
    assert kept["digest"] == hashlib.sha256(secret.encode()).hexdigest()
    assert kept["prefix"] == secret[:14]
    assert secret[14:] not in str(kept)
    assert str(row) == f"{secret[:14]}…"
