"""The ledger in the console: what is counted, what does not fit, and the deliveries behind each number."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from pushcenter.messaging import audit, dispatch
from pushcenter.messaging.models import Delivery, LedgerLine
from pushcenter.messaging.states import State
from tests import factories
from tests.admin.conftest import AsRole

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted(db: None) -> LedgerLine:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    factories.message()
    dispatch.run("normal")
    factories.message(channels=["inbox"])
    factories.message(caller=factories.caller(is_test=True))
    audit.recount(audit.days()[0], full=True)
    return LedgerLine.objects.get(is_test=False)


def seen(client: Client, query: str = "") -> str:
    return unescape(client.get(reverse("admin:ledger") + query).content.decode())


def test_it_shows_each_system_and_day(counted: LedgerLine, as_role: AsRole) -> None:
    page = seen(as_role("Operators"))
    assert all(text in page for text in ("The ledger balances", "Shop", str(counted.day), "every row"))
    assert "Nothing has been counted" in seen(as_role("Operators"), "?system=other&span=30")


def test_the_deliveries_behind_a_number_are_those_that_were_counted(
    counted: LedgerLine, as_role: AsRole
) -> None:
    client = as_role("Operators")
    links = re.findall(
        rf'href="({reverse("admin:messaging_delivery_changelist")}\?[^"]+)">(\d+)<', seen(client)
    )
    assert [int(number) for _url, number in links] == [2, 1, 2]
    for url, number in links:
        found = client.get(url)
        assert found.status_code == 200
        assert found.context["cl"].result_count == int(number)
        assert "Of messages that were accepted" in found.content.decode()


def test_what_does_not_fit_is_shown_with_examples(counted: LedgerLine, as_role: AsRole) -> None:
    Delivery.objects.filter(message__is_test=False, channel="email").update(state=State.FAILED)
    audit.recount(counted.day, full=True)
    page = seen(as_role("Operators"))
    assert "The ledger does not balance" in page
    assert "figures differ from the rows" in page
    assert "order-paid email failed: 1 rows, the figures say 0" in page


def test_somebody_has_a_day_counted_again(counted: LedgerLine, as_role: AsRole) -> None:
    client, before = as_role("Operators"), OrmQ.objects.count()
    url = reverse("admin:ledger")
    assert "is counted again" in client.post(url, {"day": str(counted.day)}, follow=True).content.decode()
    assert OrmQ.objects.count() == before + 1
    assert "This is no day" in client.post(url, {"day": "x"}, follow=True).content.decode()
    audit.recount_now(str(counted.day))


def test_who_may_not_see_deliveries_does_not_see_the_ledger(as_role: AsRole) -> None:
    assert as_role("Analysts").get(reverse("admin:ledger")).status_code == 403
