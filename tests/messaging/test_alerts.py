"""Alerts: each trouble once, told to those who want to know, over the channels that they choose."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from pushcenter.messaging import alert_words, alerts, dispatch, operators
from pushcenter.messaging.models import Alert, AlertNote, Delivery, Message, Severity
from pushcenter.recipients.models import Preference, Recipient
from templates_app import publishing
from templates_app.models import Template, Variant
from templates_app.render import render_variant
from tests import factories

pytestmark = pytest.mark.django_db


def operator(external_id: str = "e-1", **fields: Any) -> Recipient:
    person = factories.recipient(external_id, **{"locale": "en", **fields})
    person.groups.add(operators.group())
    return person


def failing(
    key: str = "disk", severity: str = Severity.WARNING, text: str = "The disk is full.", **data: Any
) -> None:
    alerts.raise_alert(key, severity, text, data)


def at(**ahead: int) -> int:
    """What is told so much later."""
    alerts.fold()
    return alerts.tell(timezone.now() + timedelta(**ahead))


@pytest.fixture
def on_call() -> Recipient:
    factories.accounts("inbox", "email")
    return operator()


def test_what_is_seen_often_is_one_alert() -> None:
    failing()
    failing(severity=Severity.CRITICAL, text="The disk is fuller.", free=0)
    failing("other")
    alerts.run()
    disk = Alert.objects.get(key="disk")
    assert (disk.count, disk.severity, disk.text, disk.data) == (
        2,
        "critical",
        "The disk is fuller.",
        {"free": 0},
    )
    assert Alert.objects.count() == 2
    assert not AlertNote.objects.exists()


def test_a_note_vanishes_with_its_transaction() -> None:
    with transaction.atomic():
        failing()
        transaction.set_rollback(True)
    alerts.run()
    assert not Alert.objects.exists()


def test_one_task_is_asked_for_however_many_notes_there_are() -> None:
    before = OrmQ.objects.count()
    failing()
    failing()
    assert OrmQ.objects.count() == before + 1


def test_nothing_is_noted_of_the_end_of_what_never_began() -> None:
    alerts.resolve("disk")
    assert not AlertNote.objects.exists()


def test_any_text_and_any_data_can_be_noted() -> None:
    failing("k" * 500, text="a\0b" * 500, when=timezone.now(), odd="\0", who=object)
    alerts.run()
    assert len(Alert.objects.get().key) == 200


def test_people_are_told_over_the_channels_that_they_have(on_call: Recipient) -> None:
    failing(free="0 MB")
    assert alerts.run() == 1
    message = Message.objects.get()
    assert {each.channel for each in message.deliveries.all()} == {"inbox", "email"}
    assert (message.recipient, message.category, message.lane) == (on_call, "operations", "high")
    [told] = Alert.objects.get().told
    assert (told["what"], told["recipient"], told["channels"]) == ("raised", "e-1", ["inbox", "email"])
    assert told["message"] == str(message.pk)


def test_what_people_mute_they_do_not_get(on_call: Recipient) -> None:
    Preference.objects.create(recipient=on_call, category=operators.category(), channel="email")
    failing()
    alerts.run()
    assert [each.channel for each in Delivery.objects.all()] == ["inbox"]


def test_who_cannot_be_reached_is_named_with_the_reason(on_call: Recipient) -> None:
    Preference.objects.create(recipient=on_call, category=operators.category())
    failing()
    assert alerts.run() == 1
    [told] = Alert.objects.get().told
    assert "email: opted_out" in told["why"]
    assert not Message.objects.exists()


def test_what_is_critical_goes_first(on_call: Recipient) -> None:
    failing(severity=Severity.CRITICAL)
    alerts.run()
    assert Message.objects.get().lane == "critical"


def test_people_are_told_once_and_then_rarely(on_call: Recipient) -> None:
    failing()
    assert alerts.run() == 1
    failing()
    assert at(hours=1) == 0
    assert at(hours=25) == 1
    assert [each["what"] for each in Alert.objects.get().told] == ["raised", "reminder"]


def test_people_are_told_at_once_when_it_gets_worse(on_call: Recipient) -> None:
    failing()
    alerts.run()
    failing(severity=Severity.CRITICAL)
    assert alerts.run() == 1
    failing(severity=Severity.WARNING)
    failing(severity=Severity.CRITICAL)
    assert alerts.run() == 0


def test_the_end_is_told_when_it_has_lasted(on_call: Recipient) -> None:
    failing()
    alerts.run()
    alerts.resolve("disk")
    assert at(minutes=1) == 0
    assert Alert.objects.get().resolved_at is not None
    assert at(minutes=6) == 1
    assert at(minutes=7) == 0
    assert [each["what"] for each in Alert.objects.get().told] == ["raised", "resolved"]
    text = dict(Message.objects.order_by("id").values_list("params__what", "params__until"))
    assert text["resolved"]


def test_what_comes_back_at_once_is_the_same_alert(on_call: Recipient) -> None:
    failing()
    alerts.run()
    alerts.resolve("disk")
    alerts.run()
    failing()
    assert at(minutes=6) == 0
    alert = Alert.objects.get()
    assert (alert.count, alert.is_open) == (2, True)


def test_what_comes_back_later_is_another_alert(on_call: Recipient) -> None:
    failing()
    alerts.run()
    alerts.resolve("disk")
    at(minutes=6)
    failing()
    assert at(minutes=6) == 1
    assert [each.is_open for each in Alert.objects.order_by("id")] == [False, True]


def test_an_alert_that_nobody_is_told_of_is_there_all_the_same() -> None:
    failing()
    assert alerts.run() == 1
    assert Alert.objects.get().told == []


def test_one_that_cannot_be_told_keeps_nobody_from_hearing_of_the_others(
    on_call: Recipient, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing()
    failing("other")
    tell = operators.tell

    def broken(alert: Alert, what: str) -> list[dict[str, Any]]:
        if alert.key == "disk":
            raise RuntimeError(what)
        return tell(alert, what)

    monkeypatch.setattr(operators, "tell", broken)
    assert alerts.run() == 1
    monkeypatch.undo()
    assert alerts.run() == 1


def test_a_template_that_was_spoilt_is_told_of_in_the_alert(on_call: Recipient) -> None:
    operators.prepare()
    Template.objects.filter(code=operators.TEMPLATE).update(channels=[])
    failing()
    assert alerts.run() == 1
    assert "why" in Alert.objects.get().told[0]


def test_the_message_arrives(on_call: Recipient) -> None:
    failing(lane="critical")
    alerts.run()
    assert dispatch.run("high") == 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_the_template_is_sound_and_says_all_in_both_languages() -> None:
    operators.prepare()
    version = Template.objects.get(code=operators.TEMPLATE).published
    assert version is not None
    assert publishing.problems(version) == []
    for variant in Variant.objects.filter(version=version):
        for what in ("raised", "reminder", "resolved"):
            context = {**alert_words.SAMPLE, "what": what, "until": "", "recipient": {}}
            said = " ".join(str(each) for each in render_variant(variant, context, published=True).values())
            assert "The lane critical" in said
            assert alert_words.SAMPLE["link"] in said
    factories.accounts("inbox")
    assert render_variant(
        Variant.objects.get(version=version, channel="sms", locale="zh-hans"),
        {**alert_words.SAMPLE, "what": "resolved", "recipient": {}},
        published=True,
    )["text"].startswith("已恢复：")


def test_the_link_leads_to_the_alert(on_call: Recipient) -> None:
    failing()
    alerts.run()
    path = reverse("admin:messaging_alert_change", args=[Alert.objects.get().pk])
    assert Message.objects.get().params["link"].endswith(path)


def test_what_people_have_changed_stays(on_call: Recipient) -> None:
    operators.prepare()
    Template.objects.filter(code=operators.TEMPLATE).update(name="Ours")
    operators.prepare()
    assert Template.objects.get(code=operators.TEMPLATE).name == "Ours"
