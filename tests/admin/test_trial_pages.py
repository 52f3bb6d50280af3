"""Sending a test from the page of a version."""

from typing import Any

import pytest
from django.contrib.auth.models import Group as Role
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from pushcenter.messaging import dispatch
from pushcenter.recipients.models import Group
from templates_app.models import TemplateVersion
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> User:
    ann = User.objects.create_user("ann", "ann@example.com", is_staff=True)
    ann.groups.add(Role.objects.get(name="Template editors"))
    return ann


@pytest.fixture
def console(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


@pytest.fixture
def version() -> TemplateVersion:
    found = factories.template(published=False).versions.get()
    found.samples = [{"name": "One", "params": {"order_no": "SO-1"}}]
    found.save()
    return found


def url(version: TemplateVersion) -> str:
    return reverse("admin:templates_app_templateversion_try_out", args=[version.pk])


def form(**fields: Any) -> dict[str, Any]:
    return {
        "who": "myself",
        "to_email": "ann@example.com",
        "channels": ["email"],
        "sample": "0",
        "over": "simulated",
    } | fields


def text(response: Any) -> str:
    return str(response.content.decode())


def test_an_editor_sends_a_test_and_sees_what_became_of_it(console: Client, version: TemplateVersion) -> None:
    page = text(console.get(url(version)))
    assert 'value="ann@example.com"' in page
    answer = console.post(url(version), form())
    assert answer.status_code == 302
    page = text(console.get(answer["Location"]))
    assert 'http-equiv="refresh"' in page
    dispatch.run("high")
    page = text(console.get(answer["Location"]))
    assert 'http-equiv="refresh"' not in page
    assert "delivered" in page
    assert "ann@example.com" in page


def test_what_is_wrong_is_said_on_the_page(console: Client, version: TemplateVersion) -> None:
    page = text(console.post(url(version), form(to_email="", sample="")))
    assert "Fill in an address of your own." in page
    page = text(console.post(url(version), form(sample="")))
    assert "order_no is required." in page
    page = text(console.post(url(version), form(params="[1]")))
    assert "Write a JSON object" in page


def test_only_groups_for_tests_are_offered(console: Client, version: TemplateVersion) -> None:
    Group.objects.create(code="all", name="Everybody")
    Group.objects.create(code="testers", name="The testers", is_for_tests=True)
    page = text(console.get(url(version)))
    assert "The testers" in page
    assert "Everybody" not in page
    assert "Nobody is in this group." in text(console.post(url(version), form(who="group:testers")))
    assert console.post(url(version), form(who="group:all")).status_code == 200


def test_the_result_is_for_who_sent_it(console: Client, version: TemplateVersion) -> None:
    answer = console.post(url(version), form())
    other = User.objects.create_superuser("eve", "eve@example.com")
    console.force_login(other)
    assert console.get(answer["Location"]).status_code == 404


def test_approvers_do_not_send_tests(client: Client, version: TemplateVersion) -> None:
    bob = User.objects.create_user("bob", is_staff=True)
    bob.groups.add(Role.objects.get(name="Approvers"))
    client.force_login(bob)
    assert client.get(url(version)).status_code == 403
