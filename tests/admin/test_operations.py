"""Operators act on deliveries that they have selected; others cannot."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Delivery
from pushcenter.messaging.states import State
from tests import factories

pytestmark = pytest.mark.django_db
URL = "admin:messaging_delivery_changelist"


def signed_in(client: Client, role: str) -> Client:
    user = User.objects.create_user("olga", password="a-long-password", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return client


def a_delivery(address: str = "li@example.com") -> Delivery:
    factories.template(channels=["email"], doubt_policy="hold")
    factories.account("email")
    return factories.message(to={"email": address}).deliveries.get()


def choose(client: Client, action: str, delivery: Delivery) -> str:
    data = {"action": action, "_selected_action": [str(delivery.pk)]}
    return client.post(reverse(URL), data, follow=True).content.decode()


def test_an_operator_cancels_what_waits(client: Client) -> None:
    delivery = a_delivery()
    assert "1 of 1 cancelled." in choose(signed_in(client, "Operators"), "cancel_selected", delivery)
    delivery.refresh_from_db()
    assert delivery.state == State.CANCELLED
    assert delivery.message.events.get().data == {"by": "olga"}


def test_an_operator_sends_again_what_is_in_doubt(client: Client) -> None:
    delivery = a_delivery("timeout@simulator.example")
    dispatch.run("normal")
    assert "1 of 1 are sent again." in choose(signed_in(client, "Operators"), "send_again_selected", delivery)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.maybe_duplicate) == (State.PENDING, True)


def test_an_operator_closes_a_doubt(client: Client) -> None:
    delivery = a_delivery("timeout@simulator.example")
    dispatch.run("normal")
    assert "1 of 1 closed as failed." in choose(signed_in(client, "Operators"), "close_selected", delivery)
    delivery.refresh_from_db()
    assert delivery.state == State.FAILED


def test_who_is_no_operator_is_offered_no_operation(client: Client) -> None:
    delivery = a_delivery()
    page = choose(signed_in(client, "Template editors"), "cancel_selected", delivery)
    assert "cancel_selected" not in page
    delivery.refresh_from_db()
    assert delivery.state == State.PENDING
