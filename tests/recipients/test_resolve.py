"""Who is meant, where reachable, and what not wanted."""

from typing import Any

import pytest

from pushcenter.faults import Rejected
from pushcenter.recipients.models import Address, Preference, Suppression
from pushcenter.recipients.person import Person
from pushcenter.recipients.resolve import resolve
from tests import factories

pytestmark = pytest.mark.django_db


def faults(to: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(Rejected) as caught:
        resolve(to)
    return [(each.pointer, each.code) for each in caught.value.faults]


def test_a_recipient_comes_with_all_that_the_directory_knows() -> None:
    row = factories.recipient(addresses={"email": "li@example.com", "phone": "+8613800138000"})
    person = resolve({"recipient": "u-1001"})
    assert person == Person(
        recipient_id=row.pk,
        external_id="u-1001",
        name="Li Wei",
        locale="zh-hans",
        places={"email": "li@example.com", "phone": "+8613800138000", "recipient": "u-1001"},
    )


def test_addresses_in_the_request_are_enough() -> None:
    person = resolve({"email": "Ann@Example.COM", "phone": "+86 138-0013-8000", "name": "Ann"})
    assert person == Person(name="Ann", places={"email": "Ann@example.com", "phone": "+8613800138000"})


def test_what_the_request_says_goes_before_the_directory() -> None:
    factories.recipient(addresses={"email": "li@example.com", "phone": "+8613800138000"})
    to = {"recipient": "u-1001", "email": "new@example.com", "name": "Mr Li", "locale": "en"}
    person = resolve(to)
    assert (person.name, person.locale) == ("Mr Li", "en")
    assert person.places["email"] == "new@example.com"
    assert person.places["phone"] == "+8613800138000"


def test_the_newest_address_of_a_kind_counts() -> None:
    row = factories.recipient(addresses={})
    for value in ("b@example.com", "a@example.com", "c@example.com"):
        Address.objects.create(recipient=row, kind="email", value=value)
    assert resolve({"recipient": "u-1001"}).places["email"] == "c@example.com"


UNKNOWN = ["u-1", "U-1001", " u-1001", "u-1001\n", "' OR 1=1 --", "%"]


@pytest.mark.parametrize("external_id", UNKNOWN)
def test_an_external_id_that_nobody_has_is_a_fault(external_id: str) -> None:
    factories.recipient()
    assert faults({"recipient": external_id}) == [("/to/recipient", "unknown_recipient")]


BAD = {
    "email": [
        "",
        "ann",
        "ann@",
        "@example.com",
        "a b@example.com",
        "ann@example..com",
        "a@b.com\nBcc: c@d.com",
    ],
    "phone": ["", "1", "13800138000", "+86138001380001234", "+12025550123 ext. 7", "phone", "+" + "1" * 200],
    "url": [
        "",
        "example.com",
        "ftp://example.com",
        "javascript:alert(1)",
        "http://",
        "http://u:p@example.com",
    ],
    "push_token": ["", "a b", "a\tb"],
}


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in BAD.items() for value in values]
)
def test_an_address_that_cannot_be_one_is_a_fault(kind: str, value: str) -> None:
    assert faults({kind: value}) == [(f"/to/{kind}", f"invalid_{kind}")]


def test_all_faults_are_found_at_once() -> None:
    assert faults({"email": "ann", "url": "x", "recipient": "u-1"}) == [
        ("/to/email", "invalid_email"),
        ("/to/url", "invalid_url"),
        ("/to/recipient", "unknown_recipient"),
    ]


def test_a_refusal_does_not_repeat_a_phone_number() -> None:
    with pytest.raises(Rejected) as caught:
        resolve({"phone": "+86 12345"})
    assert "12345" not in str(caught.value)


MUTED = [
    ("orders", "", "orders", "email", True),
    ("orders", "email", "orders", "email", True),
    ("orders", "sms", "orders", "email", False),
    ("news", "", "orders", "email", False),
]


@pytest.mark.parametrize(("category", "channel", "asked", "on", "is_muted"), MUTED)
def test_a_preference_mutes_its_category_on_its_channel_or_on_all(
    category: str, channel: str, asked: str, on: str, *, is_muted: bool
) -> None:
    row = factories.recipient()
    Preference.objects.create(recipient=row, category=factories.category(category), channel=channel)
    assert resolve({"recipient": "u-1001"}).has_muted(asked, on) is is_muted


def test_a_preference_that_mutes_no_more_does_not_count_and_neither_does_a_strangers() -> None:
    row, stranger = factories.recipient(), factories.recipient("u-1002")
    Preference.objects.create(recipient=row, category=factories.category(), is_muted=False)
    Preference.objects.create(recipient=stranger, category=factories.category())
    assert resolve({"recipient": "u-1001"}).muted == frozenset()


def test_suppressions_are_found_for_every_address_of_the_person_and_for_no_other() -> None:
    factories.recipient(addresses={"email": "li@example.com", "phone": "+8613800138000"})
    for kind, value, channel in (
        ("email", "li@example.com", ""),
        ("phone", "+8613800138000", "sms"),
        ("email", "other@example.com", ""),
        ("phone", "li@example.com", ""),
    ):
        Suppression.objects.create(kind=kind, value=value, channel=channel, reason="complained")
    person = resolve({"recipient": "u-1001"})
    assert person.suppression("email", "li@example.com", "email") == "complained"
    assert person.suppression("phone", "+8613800138000", "sms") == "complained"
    assert person.suppression("phone", "+8613800138000", "whatsapp") == ""
    assert len(person.suppressed) == 2


def test_an_address_in_the_request_can_be_suppressed_however_it_is_written() -> None:
    Suppression.objects.create(kind="phone", value="+8613800138000", reason="opted_out")
    person = resolve({"phone": "+86 138 0013 8000"})
    assert person.suppression("phone", person.places["phone"], "sms") == "opted_out"


def test_a_person_without_any_address_has_no_suppressions() -> None:
    Suppression.objects.create(kind="email", value="", reason="manual")
    factories.recipient(addresses={})
    assert resolve({"recipient": "u-1001"}).suppressed == {}
