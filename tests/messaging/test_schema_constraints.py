"""What the database itself refuses, whoever asks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from channels_app.models import Account
from pushcenter.messaging.models import Attempt, AttemptOutcome, Delivery, Event, Message, Receipt
from templates_app.models import Template, TemplateVersion, Variant, VersionState
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(db: None) -> Message:
    """An accepted message with an event and an attempt."""
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    accepted = factories.message()
    delivery = accepted.deliveries.all()[0]
    Event.objects.create(message=accepted, delivery=delivery, kind="fallback")
    now = timezone.now()
    Attempt.objects.create(
        delivery=delivery, number=1, outcome=AttemptOutcome.SENT, started_at=now, finished_at=now
    )
    return accepted


def refused(act: Callable[[], Any]) -> str:
    """Why the database refuses this; it holds at the latest when the transaction is about to end."""
    try:
        with transaction.atomic():
            act()
            connection.check_constraints()
    except IntegrityError as error:
        return str(error)
    pytest.fail("the database permits it")


INSERT_ONLY: list[tuple[type[Any], dict[str, Any]]] = [
    (Message, {"category": "other"}),
    (Message, {"reference": "other"}),
    (Message, {"lane": "low"}),
    (Message, {"expires_at": F("expires_at") + timedelta(days=1)}),
    (Message, {"is_test": True}),
    (Event, {"kind": "other"}),
    (Event, {"data": {"a": 1}}),
    (Attempt, {"number": 2}),
    (Attempt, {"outcome": "refused"}),
    (Attempt, {"finished_at": F("finished_at") + timedelta(seconds=1)}),
]


@pytest.mark.parametrize(
    ("model", "change"),
    INSERT_ONLY,
    ids=[f"{model.__name__} {next(iter(change))}" for model, change in INSERT_ONLY],
)
def test_the_record_is_only_inserted(message: Message, model: type[Any], change: dict[str, Any]) -> None:
    assert "rows are only inserted" in refused(lambda: model.objects.update(**change))


def test_the_data_of_a_person_can_be_erased(message: Message) -> None:
    Message.objects.update(to={}, params={}, metadata={}, plan=[], recipient=None)
    assert Message.objects.get().params == {}


def test_a_key_can_go_and_its_messages_stay(message: Message) -> None:
    row, _secret = factories.key()
    Message.objects.update(key=row)
    row.delete()
    assert Message.objects.get().key is None


DELIVERIES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown state": ({"state": "lost"}, "delivery_state_is_known"),
    "unknown lane": ({"lane": "express"}, "delivery_lane_is_known"),
    "a lease without sending": ({"lease_until": timezone.now()}, "delivery_has_a_lease_while_sending"),
    "sending without a lease": ({"state": "sending"}, "delivery_has_a_lease_while_sending"),
    "fewer than no attempts": ({"attempts": -1}, "attempts"),
}


@pytest.mark.parametrize(("change", "name"), DELIVERIES.values(), ids=DELIVERIES)
def test_a_delivery_is_never_in_a_state_that_does_not_exist(
    message: Message, change: dict[str, Any], name: str
) -> None:
    assert name in refused(lambda: Delivery.objects.update(**change))


def fresh(message: Message, **changes: Any) -> Message:
    names = ["system_id", "version_id", "template_id", "category", "lane", "expires_at"]
    return Message(**{name: getattr(message, name) for name in names} | changes)


def test_a_message_has_a_lane_that_exists(message: Message) -> None:
    assert "message_lane_is_known" in refused(fresh(message, lane="express").save)


def test_a_message_expires_after_it_is_due(message: Message) -> None:
    late = fresh(message, send_at=message.expires_at)
    assert "message_expires_after_it_is_due" in refused(late.save)


def test_an_attempt_has_a_number_of_its_own(message: Message) -> None:
    first = Attempt.objects.get()
    twin = Attempt(
        delivery=first.delivery,
        number=1,
        outcome=first.outcome,
        started_at=first.started_at,
        finished_at=first.finished_at,
    )
    assert "attempt_number_once" in refused(twin.save)


def test_an_event_of_a_provider_is_one_receipt(message: Message) -> None:
    account = Account.objects.all()[0]
    given = {"account": account, "provider_id": "p", "outcome": "sent", "at": timezone.now()}
    Receipt.objects.create(**given, event_id="e-1")
    assert "receipt_event_once" in refused(lambda: Receipt.objects.create(**given, event_id="e-1"))
    Receipt.objects.create(**given)
    Receipt.objects.create(**given)


def test_what_a_message_was_sent_with_cannot_be_deleted(message: Message) -> None:
    for row in (message.template, message.version, message.system):
        table = row._meta.db_table

        def delete(table: str = table) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {table}")

        refused(delete)


def test_two_versions_are_never_published_at_once(message: Message) -> None:
    template = Template.objects.get()
    second = TemplateVersion.objects.create(template=template, number=2)
    publish = TemplateVersion.objects.filter(pk=second.pk)
    assert "one_published_version" in refused(lambda: publish.update(state=VersionState.PUBLISHED))


def test_a_version_has_a_number_of_its_own(message: Message) -> None:
    twin = TemplateVersion(template=Template.objects.get(), number=1)
    assert "version_number_once" in refused(twin.save)


def change_version(**change: Any) -> Callable[[], Any]:
    return lambda: TemplateVersion.objects.update(**change)


def add_variant() -> None:
    Variant.objects.create(version=TemplateVersion.objects.get(), channel="sms", content={})


CHANGES: dict[str, Callable[[], Any]] = {
    "its variables": change_version(variables={}),
    "its number": change_version(number=7),
    "back to a draft": change_version(state=VersionState.DRAFT),
    "back to review": change_version(state=VersionState.IN_REVIEW),
    "the content of a variant": lambda: Variant.objects.update(content={}),
    "the locale of a variant": lambda: Variant.objects.update(locale="de"),
    "a variant more": add_variant,
    "a variant less": lambda: Variant.objects.all().delete(),
}


@pytest.mark.parametrize("state", [VersionState.PUBLISHED, VersionState.ARCHIVED])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_published_never_changes(
    message: Message, change: Callable[[], Any], state: VersionState
) -> None:
    TemplateVersion.objects.update(state=state)
    assert "a published template version" in refused(change)


def test_a_draft_changes_freely(db: None) -> None:
    factories.template(published=False)
    for name, change in CHANGES.items():
        if name != "back to review":
            change()
    assert TemplateVersion.objects.get().number == 7


def test_a_variant_moved_into_a_published_version_is_refused(message: Message) -> None:
    published = TemplateVersion.objects.get()
    draft = TemplateVersion.objects.create(template=published.template, number=2)
    variant = Variant.objects.create(version=draft, channel="sms", content={})
    move = Variant.objects.filter(pk=variant.pk)
    assert "a published template version" in refused(lambda: move.update(version=published))


def test_a_locale_is_stored_in_small_letters(db: None) -> None:
    factories.template(published=False)
    assert "variant_locale_in_lower_case" in refused(lambda: Variant.objects.update(locale="zh-Hans"))


def test_a_key_has_only_scopes_that_exist(db: None) -> None:
    assert "apikey_scopes_are_known" in refused(lambda: factories.key(scopes=["send", "everything"]))
