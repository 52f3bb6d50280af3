"""What editors are told of the length and the price of a message."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from templates_app.estimates import Estimate, estimate
from tests import factories

pytestmark = pytest.mark.django_db

LENGTHS: dict[str, tuple[str, Mapping[str, Any], tuple[int, int, int, str]]] = {
    "GSM": ("sms", {"text": "Paid: 5 €"}, (9, 11, 1, "gsm7")),
    "Chinese": ("sms", {"text": "已付款" * 30}, (90, 270, 2, "ucs2")),
    "no text": ("sms", {"template_code": "SMS_1", "params": {"no": "1"}}, (0, 0, 0, "")),
    "mail": ("email", {"subject": "Paid", "html": "<p>é</p>", "text": "é"}, (5, 15, 0, "")),
    "push": ("push", {"title": "Paid", "body": "Yes", "data": {"a": 1}}, (7, 15, 0, "")),
    "choice": ("wecom", {"format": "markdown", "text": "Paid"}, (4, 4, 0, "")),
    "unknown": ("pager", {"text": "Paid"}, (0, 0, 0, "")),
}


@pytest.mark.parametrize(("channel", "content", "expected"), LENGTHS.values(), ids=LENGTHS)
def test_a_message_is_measured(
    channel: str, content: Mapping[str, Any], expected: tuple[int, int, int, str]
) -> None:
    found = estimate(channel, content)
    assert (found.characters, found.bytes, found.segments, found.encoding) == expected
    assert (found.price, found.currency) == (None, "")


def test_a_text_message_is_paid_by_segment_and_any_other_as_one() -> None:
    factories.account("sms", name="first", price=Decimal("0.045"), currency="CNY")
    factories.account("sms", name="later", price=Decimal(9), currency="EUR", priority=20)
    factories.account("email", price=Decimal("0.001"), currency="EUR")
    assert estimate("sms", {"text": "字" * 71}).price == Decimal("0.09")
    mail = estimate("email", {"subject": "x" * 500})
    assert (mail.price, mail.currency) == (Decimal("0.001"), "EUR")
    assert estimate("sms", {"template_code": "SMS_1"}).price is None


def test_an_account_that_sends_nothing_has_no_say() -> None:
    factories.account("sms", name="off", price=Decimal(1), currency="CNY", is_active=False)
    factories.account("sms", name="paused", price=Decimal(1), currency="CNY", is_paused=True)
    factories.account("sms", name="without", priority=20)
    factories.account("sms", name="last", price=Decimal(1), currency="CNY", priority=30)
    assert estimate("sms", {"text": "Paid"}).price is None


WORDS = {
    "1 text message · GSM-7 · 1 character · 0.05 CNY": Estimate(
        characters=1, bytes=1, segments=1, encoding="gsm7", price=Decimal("0.05000"), currency="CNY"
    ),
    "3 text messages · UCS-2 · 150 characters": Estimate(
        characters=150, bytes=450, segments=3, encoding="ucs2"
    ),
    "7 characters · 15 bytes · 10 EUR": Estimate(characters=7, bytes=15, price=Decimal(10), currency="EUR"),
}


@pytest.mark.parametrize(("words", "found"), WORDS.items())
def test_it_is_told_in_one_line(words: str, found: Estimate) -> None:
    assert str(found) == words
