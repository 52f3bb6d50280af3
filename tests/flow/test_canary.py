"""A canary gets its share of the messages, whichever way they come, and is compared with the published version."""

import random
from collections import Counter
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from pushcenter.lanes import Lane
from pushcenter.messaging import broadcast, comparison, dispatch, interactions, work
from pushcenter.messaging.admin import canary as page
from pushcenter.messaging.chance import Verdict
from pushcenter.messaging.comparison import Comparison, compare
from pushcenter.messaging.intake import Request
from pushcenter.messaging.models import Batch, Delivery, Message
from pushcenter.messaging.states import State
from templates_app import canary, publishing
from templates_app.models import TemplateVersion, Variant
from tests import factories
from tests.access.gateway import Gateway

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]
#: Cannot be rendered for half of the orders.
BROKEN = "{% if '1' in order_no %}{{ order_no / 2 }}{% endif %}Order {{ order_no }}"


@pytest.fixture(autouse=True)
def _seeded() -> None:
    random.seed(20)


@pytest.fixture
def tried_out() -> TemplateVersion:
    """The second version of a template, sent for a third of the messages."""
    factories.accounts("email")
    return a_canary(factories.template(channels=["email"]).versions.get(), "Order {{ order_no }}", 33)


def a_canary(published: TemplateVersion, subject: str, percent: int) -> TemplateVersion:
    draft = publishing.new_draft(template=published.template, by=None, source=published)
    Variant.objects.filter(version=draft).update(content={"subject": subject, "text": "Thank you."})
    return canary.start(version=draft, by=User.objects.create_user("ann"), percent=percent)


def shares() -> "Counter[int]":
    return Counter(Message.objects.values_list("version__number", flat=True))


def mail(number: int, address: str = "sent") -> dict[str, Any]:
    return {"to": {"email": f"{address}@simulator.example"}, "params": {"order_no": f"SO-{number}"}}


def batch_of(number: int, **changes: Any) -> None:
    items = [{**mail(each % 20), **changes} for each in range(number)]
    answer = Gateway(factories.key()[1]).post(
        "/api/v1/messages/batch", {"template": "order-paid", "items": items}
    )
    assert answer.status_code == 202, answer.content


def test_single_messages_batches_and_broadcasts_are_shared_out(tried_out: TemplateVersion) -> None:
    shop = Gateway(factories.key()[1])
    for number in range(30):
        assert shop.send(**mail(number)).status_code == 202
    singles = shares()
    assert singles[1] + singles[2] == 30
    assert 5 <= singles[2] <= 15
    batch_of(90)
    batches = shares() - singles
    assert 18 <= batches[2] <= 42
    for number in range(60):
        factories.recipient(f"u-{number}")
    begun = broadcast.accept(
        Request(template="order-paid", params={"order_no": "1"}), {"all": True}, caller=factories.caller()
    )
    assert isinstance(begun, broadcast.Begun)
    work.run(str(begun.id))
    of_broadcast = Counter(
        Message.objects.filter(batch=Batch.objects.get(pk=begun.id)).values_list("version__number", flat=True)
    )
    assert of_broadcast[1] + of_broadcast[2] == 60
    assert 10 <= of_broadcast[2] <= 30
    dispatch.run(Lane.NORMAL)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent", "delivered"}


def test_both_are_compared_since_the_canary_began(tried_out: TemplateVersion) -> None:
    factories.message(caller=factories.caller(is_test=True), to={"email": "sent@simulator.example"})
    batch_of(40)
    batch_of(10, to={"email": "refused@simulator.example"})
    dispatch.run(Lane.NORMAL)
    for delivery in Delivery.objects.filter(state="sent", is_test=False):
        if delivery.message.version_id == tried_out.pk:
            interactions.record(delivery, "opened")
    found = compare(tried_out)
    both = found.canary, found.published
    assert found.is_complete
    assert sum(each.messages for each in both) == sum(each.deliveries for each in both) == 50
    assert sum(each.states[State.FAILED] for each in both) == 10
    assert all(each.reached["sent"] + each.states[State.FAILED] == each.tried for each in both)
    assert found.canary.reached["opened"] == found.canary.reached["sent"] > 0
    by_name = {line.name: line for line in found.lines()}
    assert set(by_name) == {"sent", "failed", "opened"}
    assert (by_name["opened"].verdict, by_name["opened"].is_better) == (Verdict.SURE, True)
    assert by_name["failed"].verdict is not Verdict.SURE


def test_messages_from_before_it_began_are_not_counted(tried_out: TemplateVersion) -> None:
    factories.message(to={"email": "sent@simulator.example"})
    canary.withdraw(version=tried_out, by=None)
    factories.message(to={"email": "sent@simulator.example"})
    again = a_canary_again(tried_out)
    assert compare(again).published.messages == 0
    batch_of(20)
    found = compare(again)
    assert (found.canary.messages + found.published.messages, found.is_complete) == (20, True)


def test_a_broadcast_from_before_it_began_is_no_measure_for_it(tried_out: TemplateVersion) -> None:
    canary.withdraw(version=tried_out, by=None)
    for number in range(5):
        factories.recipient(f"u-{number}")
    begun = broadcast.accept(
        Request(template="order-paid", params={"order_no": "1"}), {"all": True}, caller=factories.caller()
    )
    assert isinstance(begun, broadcast.Begun)
    again = a_canary_again(tried_out)
    work.run(str(begun.id))
    assert Message.objects.filter(batch=begun.id, version__number=1).count() == 5
    batch_of(20)
    found = compare(again)
    assert found.canary.messages + found.published.messages == 20


def a_canary_again(version: TemplateVersion) -> TemplateVersion:
    draft = publishing.new_draft(template=version.template, by=None, source=version)
    return canary.start(version=draft, by=User.objects.get(username="ann"), percent=50)


def test_one_that_cannot_be_rendered_is_found_out() -> None:
    factories.accounts("email")
    published = factories.template(channels=["email"]).versions.get()
    tried = a_canary(published, BROKEN, 50)
    batch_of(100)
    dispatch.run(Lane.NORMAL)
    shown = page.of_version(tried, patience=1)
    assert shown is not None
    assert shown.colour == "bad"
    assert "failed" in shown.sentence
    assert [(reason.code, reason.numbers[1]) for reason in shown.reasons] == [("render_error", "0")]
    canary.withdraw(version=tried, by=None)
    before = shares()
    batch_of(20)
    assert shares() - before == Counter({1: 20})


def test_where_there_are_too_many_the_newest_are_counted(
    tried_out: TemplateVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "AT_ONCE", 10)
    batch_of(35)
    found = compare(tried_out)
    assert (found.canary.messages + found.published.messages, found.is_complete) == (35, True)
    found = compare(tried_out, patience=-1)
    assert (found.canary.messages + found.published.messages, found.is_complete) == (10, False)
    assert isinstance(found, Comparison)
    assert tried_out.canary_since is not None
    assert found.since > tried_out.canary_since


def test_the_pages_of_canary_and_template_tell(tried_out: TemplateVersion, admin_client: Client) -> None:
    version = f"/admin/templates_app/templateversion/{tried_out.pk}/change/"
    template = f"/admin/templates_app/template/{tried_out.template_id}/change/"
    assert "Nothing can be compared" in admin_client.get(version).content.decode()
    batch_of(40)
    dispatch.run(Lane.NORMAL)
    seen = admin_client.get(version).content.decode()
    assert "33 % of the messages since" in seen
    assert "There are too few messages to tell one from the other." in seen
    seen = admin_client.get(template).content.decode()
    assert "Version 2 is sent for 33 % of the messages" in seen
    assert "Sent by" in seen
    assert "Shop" in seen
