"""The permissions that actions of the console ask for are ones that somebody can have."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission


@pytest.mark.django_db
def test_every_permission_that_an_action_names_exists() -> None:
    named = set()
    for page in admin.site._registry.values():
        lists = ("_get_base_actions_list", "_get_base_actions_detail", "_get_base_actions_row")
        for action in (each for name in lists for each in getattr(page, name)()):
            allowed = getattr(action.method, "allowed_permissions", ())
            named |= {permission for permission in allowed if "." in permission}
    existing = Permission.objects.values_list("content_type__app_label", "codename")
    assert named
    assert named <= {f"{app}.{codename}" for app, codename in existing}
