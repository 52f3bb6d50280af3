"""Recipients: addresses are stored in one form, or refused at their field."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from pushcenter.messaging.models import Delivery
from pushcenter.recipients.masking import mask
from pushcenter.recipients.models import Address, Recipient, Suppression
from tests import factories
from tests.admin.conftest import Sent

ADD = "admin:recipients_recipient_add"


def form(*addresses: tuple[str, str], **fields: str) -> dict[str, Any]:
    data = {"external_id": "u-7", "name": "Ann", "locale": "en", "time_zone": "", **fields}
    for prefix, count in (("addresses", len(addresses)), ("preferences", 0)):
        data |= {f"{prefix}-TOTAL_FORMS": str(count), f"{prefix}-INITIAL_FORMS": "0"}
    for number, (kind, value) in enumerate(addresses):
        data |= {f"addresses-{number}-kind": kind, f"addresses-{number}-value": value}
    return data


def test_an_address_is_normalised(admin_client: Client) -> None:
    data = form(("phone", "+86 138 0013 8000"), ("email", "Ann@EXAMPLE.com"))
    assert admin_client.post(reverse(ADD), data).status_code == 302
    assert set(Address.objects.values_list("value", flat=True)) == {"+8613800138000", "Ann@example.com"}


def test_a_wrong_address_and_a_wrong_time_zone_stand_at_their_fields(admin_client: Client) -> None:
    answer = admin_client.post(reverse(ADD), form(("phone", "12"), time_zone="Mars"))
    page = answer.content.decode()
    assert "international form" in page
    assert "No such time zone" in page
    assert not Recipient.objects.exists()


def test_a_suppression_is_found_however_its_address_is_written(admin_client: Client) -> None:
    row = Suppression.objects.create(kind="phone", value="+8613800138000")
    found = admin_client.get(reverse("admin:recipients_suppression_changelist"), {"q": "+86 138 0013 8000"})
    assert [each.pk for each in found.context["cl"].result_list] == [row.pk]


def test_recipients_are_found_by_the_beginning_of_their_id(admin_client: Client) -> None:
    for external_id in ("u-1001", "u-1002", "x-1"):
        factories.recipient(external_id)
    found = admin_client.get(reverse("admin:recipients_recipient_changelist"), {"q": "u-"})
    assert [row.external_id for row in found.context["cl"].result_list] == ["u-1001", "u-1002"]


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("li.wei@example.com", "l•••@example.com"),
        ("+8613800138000", "•••00"),
        ("https://example.com/hook", "ht•••"),
        ("ab", "ab•••"),
        ("", ""),
    ],
)
def test_masking_leaves_enough_to_tell_addresses_apart(value: str, masked: str) -> None:
    assert mask(value) == masked


def test_a_recipient_with_a_past_can_be_deleted(sent: Sent, admin_client: Client) -> None:
    url = reverse("admin:recipients_recipient_delete", args=[sent.message.recipient_id])
    assert admin_client.post(url, {"post": "yes"}).status_code == 302
    sent.message.refresh_from_db()
    assert sent.message.recipient is None


@pytest.mark.parametrize("external_id", ["a/b", "a\u200bb", ".."])
def test_an_id_that_the_api_could_not_name_is_refused(admin_client: Client, external_id: str) -> None:
    page = admin_client.post(reverse(ADD), form(external_id=external_id)).content.decode()
    assert "An external id has no slash" in page
    assert not Recipient.objects.exists()


def delete(client: Client, row: Recipient) -> Any:
    url = reverse("admin:recipients_recipient_delete", args=[row.pk])
    return client.post(url, {"post": "yes"})


def delete_marked(client: Client, row: Recipient) -> Any:
    data = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
    return client.post(reverse("admin:recipients_recipient_changelist"), data)


@pytest.mark.parametrize("act", [delete, delete_marked])
def test_who_is_deleted_is_forgotten_in_the_record_and_in_the_log(
    sent: Sent, admin_client: Client, act: Callable[[Client, Recipient], Any]
) -> None:
    person = Recipient.objects.get()
    assert act(admin_client, person).status_code == 302
    sent.message.refresh_from_db()
    assert (sent.message.to, sent.message.params) == ({}, {})
    assert set(Delivery.objects.values_list("address", flat=True)) == {""}
    assert set(LogEntry.objects.values_list("object_repr", flat=True)) == {"-"}
