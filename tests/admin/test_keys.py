"""A key is seen once, gives way to a successor, and ends."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pushcenter.access.keys import digest
from pushcenter.access.models import ApiKey
from tests import factories
from tests.admin.conftest import AsRole

NEW = {"name": "till", "is_test": "on", "scopes": ["send", "read"], "allowed_networks": "10.0.0.0/8"}


def add(client: Client, **fields: object) -> tuple[str, ApiKey]:
    data = {"system": str(factories.system().pk), **NEW, **fields}
    answer = client.post(reverse("admin:access_apikey_add"), data, follow=True)
    key = ApiKey.objects.get()
    assert "no-store" in answer["Cache-Control"]
    return answer.context["secret"], key


def test_the_secret_is_shown_after_adding_and_never_again(admin_client: Client) -> None:
    secret, key = add(admin_client)
    assert secret.startswith("pc_test_")
    assert key.digest == digest(secret)
    later = [
        admin_client.get(reverse("admin:access_apikey_changelist")),
        admin_client.get(reverse("admin:access_apikey_change", args=[key.pk])),
        admin_client.get(reverse("admin:access_apikey_history", args=[key.pk])),
        admin_client.get(reverse("admin:index")),
    ]
    for page in later:
        assert page.status_code == 200
        assert secret not in page.content.decode()
        assert key.digest not in page.content.decode()


def test_loading_the_page_of_a_new_key_again_neither_shows_it_nor_makes_another(admin_client: Client) -> None:
    secret, _key = add(admin_client)
    again = admin_client.get(reverse("admin:access_apikey_issued"), follow=True)
    assert "A key is shown once." in again.content.decode()
    assert secret not in again.content.decode()
    assert ApiKey.objects.count() == 1


def test_a_network_that_is_none_is_refused_at_its_field(admin_client: Client) -> None:
    data = {"system": str(factories.system().pk), **NEW, "allowed_networks": "10.0.0.0/8,office"}
    answer = admin_client.post(reverse("admin:access_apikey_add"), data)
    assert "office is not an IP network" in str(answer.context["adminform"].form.errors["allowed_networks"])
    assert not ApiKey.objects.exists()


def test_changing_a_key_keeps_its_secret(admin_client: Client) -> None:
    secret, key = add(admin_client)
    url = reverse("admin:access_apikey_change", args=[key.pk])
    data = {
        "name": "new till",
        "scopes": ["read"],
        "allowed_networks": "",
        "expires_at_0": "",
        "expires_at_1": "",
    }
    assert admin_client.post(url, data).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.scopes, key.digest) == ("new till", ["read"], digest(secret))


def test_revoking_asks_first_and_is_for_ever(as_role: AsRole) -> None:
    key, _secret = factories.key()
    client = as_role("Operators")
    url = reverse("admin:access_apikey_revoke", args=[key.pk])
    client.get(url)
    key.refresh_from_db()
    assert key.revoked_at is None
    page = client.post(url, {"_form_submitted": "True"}, follow=True)
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert "The key was revoked" in page.content.decode()
    change = reverse("admin:access_apikey_change", args=[key.pk])
    assert client.post(change, {"name": "again", "scopes": ["send"]}).status_code == 403


def test_only_who_may_change_keys_revokes_one(as_role: AsRole) -> None:
    key, _secret = factories.key()
    url = reverse("admin:access_apikey_revoke", args=[key.pk])
    assert as_role("Analysts").post(url, {"_form_submitted": "True"}).status_code == 403


def rotate(client: Client, key: ApiKey, overlap: Any, **options: Any) -> Any:
    url = reverse("admin:access_apikey_rotate", args=[key.pk])
    return client.post(url, {"_form_submitted": "True", "overlap": overlap}, **options)


@pytest.mark.parametrize("overlap", [0, 3600, 24 * 3600, 7 * 24 * 3600])
def test_a_successor_is_shown_once_and_the_old_key_ends_after_the_overlap(
    as_role: AsRole, overlap: int
) -> None:
    key, _secret = factories.key(name="till", scopes=["send"])
    page = rotate(as_role("Operators"), key, overlap, follow=True)
    secret = page.context["secret"]
    successor = ApiKey.objects.get(digest=digest(secret))
    assert (successor.predecessor, successor.name, successor.scopes) == (key, "till", ["send"])
    key.refresh_from_db()
    assert key.expires_at is not None
    assert abs(key.expires_at - timezone.now() - timedelta(seconds=overlap)) < timedelta(minutes=1)
    assert "It succeeds another key" in page.content.decode()


def test_the_overlap_is_asked_for_first(as_role: AsRole) -> None:
    key, _secret = factories.key()
    client = as_role("Operators")
    page = client.get(reverse("admin:access_apikey_rotate", args=[key.pk])).content.decode()
    assert "a day" in page
    assert rotate(client, key, 77).status_code == 200, "an overlap that is not offered"
    assert not key.successors.exists()


def test_a_key_that_has_ended_has_no_successor(admin_client: Client) -> None:
    key, _secret = factories.key(expires_at=timezone.now())
    page = rotate(admin_client, key, 0, follow=True)
    assert "This key has ended" in page.content.decode()
    assert not key.successors.exists()


def test_only_who_may_make_keys_replaces_one(as_role: AsRole) -> None:
    key, _secret = factories.key()
    assert rotate(as_role("Analysts"), key, 0).status_code == 403
    assert not key.successors.exists()
