"""What is written by COPY is what the ORM would have written, whatever the texts."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.utils import timezone

from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from pushcenter.messaging import intake, rows
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.request import Item
from pushcenter.recipients.models import Category, Recipient, Suppression
from templates_app.models import Template
from tests import factories

pytestmark = pytest.mark.django_db

WRITTEN: dict[type[models.Model], tuple[str, ...]] = {Message: rows.MESSAGE, Delivery: rows.DELIVERY}


@pytest.mark.parametrize("model", WRITTEN)
def test_every_column_that_must_have_a_value_is_written_and_no_other_is_named(
    model: type[models.Model],
) -> None:
    named = {name.strip('"') for name in WRITTEN[model]}
    assert len(named) == len(WRITTEN[model])
    assert named <= {field.column for field in model._meta.concrete_fields}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = %s AND is_nullable = 'NO' AND column_default IS NULL",
            [model._meta.db_table],
        )
        assert {name for (name,) in cursor.fetchall()} <= named


TEXTS = {
    "backslash": "a\\b",
    "backslash at the end": "a\\",
    "what means null": "\\N",
    "what ends the data": "\\.",
    "an escape in words": "\\t\\n\\x41\\101",
    "tab": "a\tb",
    "new line": "a\nb",
    "carriage return": "a\rb",
    "both ends of a line": "a\r\n\\.\r\nb",
    "backspace, form feed, vertical tab": "a\b\f\vb",
    "other control characters": "\x01\x1f\x7f\x85",
    "quotes": "'\"`‘’“”",
    "JSON in a text": '{"a": "\\u0000\\"", "b": [1]}',
    "separators of Unicode": "a\u2028b\u2029c",
    "beyond the first plane": "王小明 😀 é",
    "right to left": "\u202eabc\u202c",
    "format of Python and SQL": "%s %(x)s {x} $1 '; --",
}


def free(**caller: Any) -> intake.Caller:
    """What stands around a message whose every text may be anything."""
    factories.template("free", ["inbox", "email", "push"], schema={"type": "object"})
    factories.accounts("inbox", "email", "push")
    return factories.caller(**caller)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_text_comes_back_as_it_was(text: str) -> None:
    Recipient.objects.create(external_id=text, locale=text[:35], name="Li Wei")
    Category.objects.create(code=text, name="any")
    message = factories.message(
        "free",
        caller=free(),
        to={"recipient": text, "name": text, "email": "li@example.com"},
        params={text: [text, {"x": text}]},
        metadata={text: {text: text}},
        reference=text,
        category=text,
        request_id=text,
    )
    assert message.to == {
        "recipient": text,
        "name": text,
        "email": "li@example.com",
        "locale": text[:35],
    }
    assert message.params == {text: [text, {"x": text}]}
    assert message.metadata == {text: {text: text}}
    assert (message.reference, message.category, message.request_id) == (text, text, text)
    inbox = message.deliveries.get(channel="inbox")
    assert (inbox.address, inbox.state) == (text, "pending")
    assert {each["channel"]: each["address"] for each in message.plan} == {
        "inbox": text,
        "email": "li@example.com",
        "push": "",
    }


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_reason_of_a_skipped_channel_comes_back_as_it_was(text: str) -> None:
    Suppression.objects.create(kind="email", value="li@example.com", reason=text[:20])
    message = factories.message("free", caller=free(), to={"email": "li@example.com"})
    delivery = message.deliveries.get(channel="email")
    assert (delivery.state, delivery.code, delivery.reason) == ("skipped", "suppressed", text[:20])


def test_an_address_with_a_backslash_is_no_escape() -> None:
    token = r"simulated:\N:\t\\"
    message = factories.message("free", caller=free(), to={"push_token": token})
    assert message.deliveries.get(channel="push").address == token


VALUES: list[Any] = [0, -1, 2**63 - 1, 0.1, 1e-7, -0.0, True, None, [], {}, "", [[], [{}]], {"": {"": ""}}]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_value_of_json_comes_back_as_it_was(value: Any) -> None:
    factories.recipient()
    message = factories.message("free", caller=free(), params={"v": value}, metadata={"v": value})
    assert (message.params, message.metadata) == ({"v": value}, {"v": value})
    assert type(message.params["v"]) is type(value)


def as_stored(model: type[models.Model], **where: Any) -> list[dict[str, Any]]:
    """Rows with all their columns, but for what makes each its own."""
    names = [field.attname for field in model._meta.concrete_fields]
    return list(
        model._default_manager.filter(**where).values(*(set(names) - {"id", "message_id"})).order_by("id")
    )


@pytest.mark.parametrize("is_batch", [False, True], ids=["alone", "in a batch"])
@pytest.mark.parametrize("send_in_hours", [None, 3])
@pytest.mark.parametrize("is_test", [False, True], ids=["live", "test"])
def test_a_message_is_what_the_orm_would_have_saved(
    *, is_test: bool, send_in_hours: int | None, is_batch: bool
) -> None:
    key, _ = factories.key(is_test=is_test)
    caller = free(key_id=key.pk, is_test=is_test)
    person = factories.recipient()
    person.preferences.create(category=factories.category(), channel="inbox")
    send_at = send_in_hours and timezone.now() + timedelta(hours=send_in_hours)
    given: dict[str, Any] = {
        "send_at": send_at or None,
        "metadata": {"shop": 7},
        "request_id": "r-1",
        "priority": Lane.HIGH,
    }
    to, params = {"recipient": "u-1001"}, {"order_no": "SO-1"}
    if is_batch:
        request = intake.Request(template="free", **given)
        item = Item(to=to, params=params, reference="SO-1")
        batch = intake.accept_batch(request, {0: item}, caller=caller, rejected={}, skip_rejected=False)
        assert isinstance(batch, intake.Batched)
        message = Message.objects.get(batch_id=batch.id)
    else:
        message = factories.message("free", caller=caller, to=to, params=params, reference="SO-1", **given)
    twin = _by_the_orm(message, person, to, params, send_at or None)
    [copied, saved] = as_stored(Message)
    assert copied == saved
    assert as_stored(Delivery, message=message) == as_stored(Delivery, message=twin)


def _by_the_orm(message: Message, person: Recipient, to: Any, params: Any, send_at: Any) -> Message:
    """The same message, said by hand; what only acceptance knows is taken from the one that it stored."""
    version = Template.objects.get(code="free").versions.get()
    email = {"kind": "email", "address": "u-1001@example.com"}
    plan = [
        {"channel": "inbox", "choice": "skipped", "reason": "opted_out", "detail": "muted orders"}
        | {"kind": "recipient", "address": "u-1001"},
        {"channel": "email", "choice": "chosen", "reason": "in_route", "detail": "", **email},
        {"channel": "push", "choice": "skipped", "reason": "no_address", "detail": ""}
        | {"kind": "push_token", "address": ""},
    ]
    shared: dict[str, Any] = {
        "batch_id": message.batch_id,
        "recipient": person,
        "lane": "high",
        "expires_at": message.expires_at,
        "accepted_at": message.accepted_at,
    }
    twin = Message.objects.create(
        id=uuid7(),
        system=factories.system(),
        key_id=message.key_id,
        is_test=message.is_test,
        version=version,
        template=version.template,
        category="orders",
        to={**to, "name": "Li Wei", "locale": "zh-hans"},
        params=params,
        metadata={"shop": 7},
        reference="SO-1",
        plan=plan,
        request_id="r-1",
        send_at=send_at,
        **shared,
    )
    for each in plan:
        is_chosen = each["choice"] == "chosen"
        Delivery.objects.create(
            message=twin,
            is_test=twin.is_test,
            channel=each["channel"],
            kind=each["kind"],
            address=each["address"],
            locale="zh-hans",
            state="pending" if is_chosen else "skipped",
            code="" if is_chosen else each["reason"],
            reason="" if is_chosen else each["detail"],
            due_at=send_at or message.accepted_at,
            ended_at=None if is_chosen else message.accepted_at,
            **shared,
        )
    return twin
