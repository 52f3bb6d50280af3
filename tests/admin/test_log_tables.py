"""The record cannot be changed through the console, and is searched for exact values."""

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from pushcenter.ids import first_id, made_at, uuid7
from pushcenter.messaging.models import Delivery, Message
from tests.admin.conftest import Sent

LOGS = ["message", "delivery", "attempt", "event", "receipt", "receiptcall", "interaction"]


@pytest.mark.parametrize("name", LOGS)
def test_nobody_adds_changes_or_deletes(name: str, sent: Sent, admin_client: Client) -> None:
    row = apps.get_model("messaging", name).objects.first()
    for step, args in (("add", []), ("change", [row.pk]), ("delete", [row.pk])):
        answer = admin_client.post(reverse(f"admin:messaging_{name}_{step}", args=args), {"post": "yes"})
        assert answer.status_code == 403, step
    selected = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
    admin_client.post(reverse(f"admin:messaging_{name}_changelist"), selected)
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("term", ["{id}", "SO-1", "u-1001"])
def test_a_message_is_found_by_id_reference_and_recipient(
    term: str, sent: Sent, admin_client: Client
) -> None:
    found = admin_client.get(
        reverse("admin:messaging_message_changelist"), {"q": term.format(id=sent.message.pk)}
    )
    assert [row.pk for row in found.context["cl"].result_list] == [sent.message.pk]


@pytest.mark.parametrize("term", ["SO", "1001", "li.wei@example.com", "%"])
def test_a_part_of_a_value_finds_nothing(term: str, sent: Sent, admin_client: Client) -> None:
    found = admin_client.get(reverse("admin:messaging_message_changelist"), {"q": term})
    assert not found.context["cl"].result_list


def test_a_delivery_is_found_by_the_providers_id(sent: Sent, admin_client: Client) -> None:
    found = admin_client.get(reverse("admin:messaging_delivery_changelist"), {"q": "p-1"})
    assert [row.pk for row in found.context["cl"].result_list] == [sent.delivery.pk]


def test_a_count_stops_at_its_cap(sent: Sent, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushcenter.log_admin.COUNTED_ROWS", 1)
    assert Delivery.objects.count() > 1
    found = admin_client.get(reverse("admin:messaging_delivery_changelist"))
    assert found.context["cl"].result_count == 1
    assert "or more" in found.content.decode()


def test_the_period_is_read_from_the_id(sent: Sent, admin_client: Client) -> None:
    made = uuid7()
    assert first_id(made_at(made)) <= made
    Message.objects.filter(pk=sent.message.pk).exists()
    found = admin_client.get(reverse("admin:messaging_message_changelist"), {"period": "hour"})
    assert found.context["cl"].result_count == 1
