"""The page of a message: what happened, where it went and what it said."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from pushcenter.spans import distance
from tests import factories
from tests.admin.conftest import AsRole, Sent


def page_of(sent: Sent, client: Client) -> str:
    return client.get(reverse("admin:messaging_message_change", args=[sent.message.pk])).content.decode()


def test_the_timeline_shows_both_attempts_and_what_the_provider_said(
    sent: Sent, admin_client: Client
) -> None:
    page = page_of(sent, admin_client)
    assert "Provider asked us to slow down" in page
    assert "too many mails from you" in page
    assert "Provider took it" in page
    assert "+1.1 s" in page
    assert page.index("Accepted and stored") < page.index("slow down") < page.index("Provider took it")


def test_an_operator_sees_the_address_the_parameters_and_the_mail(sent: Sent, as_role: AsRole) -> None:
    page = page_of(sent, as_role("Operators"))
    assert "li.wei@example.com" in page
    assert "order_no" in page
    assert "Order SO-1" in page


def test_without_the_right_addresses_are_masked_and_content_is_withheld(sent: Sent, client: Client) -> None:
    user = User.objects.create_user("looker", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(
            codename__in=[
                "view_message",
                "view_delivery",
                "view_receiptcall",
                "view_recipient",
                "view_address",
            ]
        )
    )
    client.force_login(user)
    pages = [
        page_of(sent, client),
        client.get(reverse("admin:messaging_delivery_changelist")).content.decode(),
        client.get(reverse("admin:messaging_delivery_change", args=[sent.delivery.pk])).content.decode(),
        client.get(
            reverse("admin:recipients_recipient_change", args=[sent.message.recipient_id])
        ).content.decode(),
    ]
    assert "l•••@example.com" in pages[0]
    assert all("li.wei@" not in page for page in pages)
    assert all("l•••@example.com" in page for page in pages)
    assert "Order SO-1" not in pages[0]


def test_a_mail_is_shown_in_a_frame_that_can_do_nothing(db: None, admin_client: Client) -> None:
    factories.account("email")
    html = {
        "subject": "Hello",
        "html": "<p onclick='alert(1)'>Hi {{ order_no }}</p><script>alert(2)</script>",
    }
    factories.template(channels=["email"], content={"email": html})
    factories.recipient()
    message = factories.message()
    page = admin_client.get(reverse("admin:messaging_message_change", args=[message.pk])).content.decode()
    assert 'sandbox=""' in page
    assert "<script>alert(2)" not in page
    assert "&lt;script&gt;alert(2)" in page


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "+0 ms"),
        (timedelta(milliseconds=12), "+12 ms"),
        (timedelta(seconds=3.4), "+3.4 s"),
        (timedelta(seconds=125), "+2 min 5 s"),
        (timedelta(minutes=62), "+1 h 2 min"),
        (timedelta(days=3, hours=4), "+3 d 4 h"),
        (timedelta(milliseconds=-5), "−5 ms"),
    ],
)
def test_a_distance_reads_like_people_say_it(span: timedelta, text: str) -> None:
    assert distance(span) == text


def test_an_operator_cancels_a_message(as_role: AsRole) -> None:
    factories.template(channels=["sms"])
    factories.account("sms")
    message = factories.message(to={"phone": "+8613800138000"}, send_at=factories.in_an_hour())
    url = reverse("admin:messaging_message_change", args=[message.pk])
    client = as_role("Operators")
    assert f"{message.pk}/cancel" in client.get(url).content.decode()
    press = reverse("admin:messaging_message_cancel", args=[message.pk])
    page = client.post(press, {"_form_submitted": "True"}, follow=True).content.decode()
    assert "Cancelled: 1 deliveries do not go out" in page
    assert message.deliveries.get().state == "cancelled"
    assert f"{message.pk}/cancel" not in page
