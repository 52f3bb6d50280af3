"""The page of a batch: its progress and history, and what operators may do with it."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pushcenter.messaging import batches, brake, broadcast, dispatch, intake, work
from pushcenter.messaging.models import Batch, BatchEvent, Brake
from pushcenter.messaging.request import Item
from tests import factories
from tests.admin.conftest import AsRole

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(db: None) -> Batch:
    factories.template(channels=["email"])
    factories.account("email")
    items = {index: Item(to={"email": "li@example.com"}, params={"order_no": "1"}) for index in range(3)}
    done = intake.accept_batch(
        intake.Request(template="order-paid", reference="night"),
        items,
        caller=factories.caller(),
        rejected={},
        skip_rejected=False,
    )
    assert isinstance(done, intake.Batched)
    return Batch.objects.get(pk=done.id)


def shown(client: Client, batch: Batch) -> str:
    return unescape(client.get(reverse("admin:messaging_batch_change", args=[batch.pk])).content.decode())


def act(client: Client, batch: Batch, verb: str) -> str:
    url = reverse(f"admin:messaging_batch_{verb}", args=[batch.pk])
    assert client.get(url).status_code in {200, 403, 405}  # the dialog asks first
    return unescape(client.post(url, {"_form_submitted": "True"}, follow=True).content.decode())


def offered(page: str) -> set[str]:
    return {verb for verb in ("pause", "resume", "cancel") if f"/{verb}" in page}


def test_its_progress_is_shown(as_role: AsRole, batch: Batch) -> None:
    client = as_role("Operators")
    assert "running" in shown(client, batch)
    dispatch.run("normal")
    page = shown(client, batch)
    assert all(text in page for text in ("done", "night", "delivered", "100.0 %"))
    listing = client.get(reverse("admin:messaging_batch_changelist")).content.decode()
    assert "done" in listing
    assert "night" in listing


def test_a_broadcast_shows_its_people(as_role: AsRole, batch: Batch) -> None:
    factories.recipient("a")
    factories.recipient("b", {})
    request = intake.Request(template="order-paid", params={"order_no": "1"})
    begun = broadcast.accept(request, {"all": True}, caller=factories.caller())
    assert isinstance(begun, broadcast.Begun)
    client, found = as_role("Operators"), Batch.objects.get(pk=begun.id)
    assert "0 of 2 people looked at" in shown(client, found)
    work.run(str(begun.id))
    page = shown(client, found)
    assert all(text in page for text in ("2 of 2 people looked at", "no address", "Broadcast"))


def test_an_operator_pauses_resumes_and_cancels(as_role: AsRole, batch: Batch) -> None:
    client = as_role("Operators")
    assert offered(shown(client, batch)) == {"pause", "cancel"}
    page = act(client, batch, "pause")
    assert "The batch is paused." in page
    assert offered(page) == {"resume", "cancel"}
    assert "The batch goes on." in act(client, batch, "resume")
    page = act(client, batch, "cancel")
    assert "Cancelled: 3 deliveries do not go out; 0 had gone out" in page
    assert offered(page) == set()
    by = {event.data["by"] for event in BatchEvent.objects.all()}
    assert len(by) == 1
    assert all(title in page for title in ("Batch paused", "Batch resumed", "Batch cancelled", by.pop()))


def test_one_that_was_cancelled_meanwhile_is_left_alone(as_role: AsRole, batch: Batch) -> None:
    batches.cancel(batch.pk, by="olga")
    assert "was cancelled meanwhile" in act(as_role("Operators"), batch, "pause")


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_who_is_no_operator_changes_nothing(as_role: AsRole, batch: Batch, verb: str) -> None:
    client = as_role("Analysts")
    url = reverse(f"admin:messaging_batch_{verb}", args=[batch.pk])
    client.post(url, {"_form_submitted": "True"})
    assert not BatchEvent.objects.exists()


def test_the_rest_of_a_braked_batch_is_sent_by_hand(as_role: AsRole, batch: Batch) -> None:
    client = as_role("Operators")
    release = reverse("admin:messaging_batch_release", args=[batch.pk])
    assert release not in shown(client, batch)
    brake.put_on(batch, 1, starts=timezone.now())
    page = shown(client, batch)
    assert "1 go first, the rest in 60 s or later" in page
    assert release in page
    assert client.post(release, {"_form_submitted": "on"}).status_code == 302
    assert Brake.objects.get().state == "open"
    assert release not in shown(client, batch)
