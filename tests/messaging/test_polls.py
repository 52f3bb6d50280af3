"""Providers that have to be asked: when, how often, and what comes of the answer."""

from collections.abc import Sequence

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from channels_app import registry
from channels_app.channels import SMS
from channels_app.contract import Adapter, Capabilities, Outcome, Outgoing, Receipt, Sent, Temporary
from channels_app.models import Account
from pushcenter.messaging import dispatch, polls
from pushcenter.messaging.models import Delivery
from tests import factories

pytestmark = pytest.mark.django_db


class QuietAdapter(Adapter):
    """Tells nothing by itself."""

    name = "quiet"
    label = "Quiet"
    channel = SMS
    capabilities = Capabilities(poll_after=(10, 60))
    said: Sequence[Receipt] | Temporary = ()

    async def send(self, message: Outgoing) -> Sent:
        return Sent(provider_id="task-1")

    async def poll(self, provider_id: str) -> Sequence[Receipt]:
        if isinstance(self.said, Temporary):
            raise self.said
        return self.said


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account of it, and one message that it has taken."""
    known = {**registry.adapters(), QuietAdapter.name: QuietAdapter}
    monkeypatch.setattr(registry, "adapters", lambda: known)
    factories.template(channels=["sms"])
    account = factories.account("sms", "quiet")
    factories.message(to={"phone": "+8613800138000"})
    dispatch.run("normal")
    return account


def planned() -> list[tuple[tuple[str, str, int], int]]:
    """What is to be asked, and in how many seconds."""
    tasks = [(row.task, row.lock) for row in OrmQ.objects.order_by("lock")]
    now = timezone.now()
    return [
        (task["args"], round((lock - now).total_seconds()))
        for task, lock in tasks
        if task["func"] == polls.ASK
    ]


def test_the_first_question_is_planned_when_the_message_is_sent(quiet: Account) -> None:
    assert planned() == [((str(quiet.pk), "task-1", 0), 10)]


def test_as_long_as_nothing_is_known_the_next_is_planned(quiet: Account) -> None:
    OrmQ.objects.all().delete()
    polls.ask(str(quiet.pk), "task-1", 0)
    assert planned() == [((str(quiet.pk), "task-1", 1), 50)]
    OrmQ.objects.all().delete()
    polls.ask(str(quiet.pk), "task-1", 1)
    assert planned() == []


@pytest.mark.parametrize(
    ("outcome", "state"), [(Outcome.DELIVERED, "delivered"), (Outcome.UNDELIVERED, "undelivered")]
)
def test_an_answer_is_applied_like_a_receipt_and_ends_the_questions(
    quiet: Account, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, state: str
) -> None:
    OrmQ.objects.all().delete()
    monkeypatch.setattr(
        QuietAdapter, "said", [Receipt(provider_id="task-1", address="+8613800138000", outcome=outcome)]
    )
    polls.ask(str(quiet.pk), "task-1", 0)
    assert Delivery.objects.get().state == state
    assert planned() == []


def test_a_fault_leaves_the_next_question(quiet: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    OrmQ.objects.all().delete()
    monkeypatch.setattr(QuietAdapter, "said", Temporary("down"))
    polls.ask(str(quiet.pk), "task-1", 0)
    assert planned() == [((str(quiet.pk), "task-1", 1), 50)]


def test_an_account_that_is_gone_is_not_asked(quiet: Account) -> None:
    OrmQ.objects.all().delete()
    pk = str(quiet.pk)
    quiet.delete()
    polls.ask(pk, "task-1", 0)
    assert planned() == []


def test_a_provider_that_tells_by_itself_is_not_asked(quiet: Account) -> None:
    OrmQ.objects.all().delete()
    quiet.delete()
    factories.account("sms", config={"outcome": "sent"})
    factories.message(to={"phone": "+8613800138001"})
    dispatch.run("normal")
    assert Delivery.objects.filter(state="sent").count() == 2
    assert planned() == []
