"""The route of a template, written by somebody who knows nothing of JSON."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from templates_app.models import Template
from tests import factories

pytestmark = pytest.mark.django_db


def form(**changes: Any) -> dict[str, Any]:
    return {
        "code": "welcome",
        "name": "Welcome",
        "category": str(factories.category().pk),
        "priority": "normal",
        "route_mode": "first",
        "doubt_policy": "resend",
        "kind": "message",
        "channels": ["push", "", "email", "sms"],
        "channels_until": ["delivered", "sent", "read", "sent"],
        "channels_number": ["10", "", "", ""],
        "channels_unit": ["minutes", "minutes", "hours", "minutes"],
        **changes,
    }


def added(client: Client, **changes: Any) -> Any:
    return client.post(reverse("admin:templates_app_template_add"), form(**changes))


def test_each_channel_has_what_it_waits_for(admin_client: Client) -> None:
    added(admin_client)
    template = Template.objects.get()
    assert template.channels == ["push", "email", "sms"]
    assert template.steps == {
        "push": {"until": "delivered", "within": 600},
        "email": {"until": "read", "within": None},
    }
    page = admin_client.get(reverse("admin:templates_app_template_changelist")).content.decode()
    assert "push (delivered, 10 minutes) → email (read) → sms" in page


def test_what_is_stored_is_shown_and_stays(admin_client: Client) -> None:
    factories.template(
        "welcome", ["push", "email"], route_mode="first", steps={"push": {"until": "read", "within": 7200}}
    )
    url = reverse("admin:templates_app_template_change", args=[Template.objects.get().pk])
    page = admin_client.get(url).content.decode()
    assert 'value="2"' in page
    shown = {"channels": ["push"], "channels_until": ["read"], "channels_number": ["2"]}
    inlines = {"versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0"}
    answer = admin_client.post(url, form(**shown, channels_unit=["hours"], **inlines))
    assert answer.status_code == 302
    assert Template.objects.get().steps == {"push": {"until": "read", "within": 7200}}


FAULTS: dict[str, tuple[dict[str, list[str]], str]] = {
    "no number": ({"channels_number": ["soon"]}, "from one second to thirty days"),
    "nothing": ({"channels_number": ["0"]}, "from one second to thirty days"),
    "too long": (
        {"channels_number": ["721"], "channels_unit": ["hours"]},
        "from one second to thirty days",
    ),
    "another channel": ({"channels": ["pigeon"]}, "There is no channel pigeon."),
    "another end": ({"channels_until": ["seen"]}, "has done what it is for."),
    "no channel": ({"channels": [""]}, "This field is required."),
}


@pytest.mark.parametrize(("changes", "told"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_and_nothing_is_lost(
    changes: dict[str, list[str]], told: str, admin_client: Client
) -> None:
    page = added(admin_client, **changes).content.decode()
    assert told.lower() in page.lower()
    assert not Template.objects.exists()


def test_steps_are_checked_wherever_they_come_from() -> None:
    template = factories.template()
    for wrong in (
        ["email"],
        {"email": {"until": "soon"}},
        {"email": {"within": -1}},
        {"email": {"after": 3}},
    ):
        template.steps = wrong
        with pytest.raises(Exception, match="steps"):
            template.full_clean()
