"""The demo's way in: an API key of the shop, kept in a file, and a first user of the console."""

import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.utils import timezone

from pushcenter.access import keys
from pushcenter.access.models import ApiKey, Scope, System
from pushcenter.demo.kept import keep

ADMIN = "admin"


def key_file(data: Path) -> Path:
    return data / "demo" / "key"


def demo_key(data: Path) -> str:
    """The key of an earlier run while it can be used, else a new one."""
    path = key_file(data)
    known = path.read_text().strip() if path.exists() else ""
    if known and _is_usable(known):
        return known
    fresh = ApiKey(system=System.objects.get(code="shop"), name="Demo", scopes=list(Scope.values)).issue()
    keep(path, fresh)
    return fresh


def _is_usable(key: str) -> bool:
    row = ApiKey.objects.filter(digest=keys.digest(key), system__code="shop", is_test=False).first()
    return row is not None and row.is_usable(timezone.now()) and set(row.scopes) == set(Scope.values)


def first_password() -> str | None:
    """Make the administrator; the password is told once, and None means that there is one already."""
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    users.create_superuser(ADMIN, password=password)
    return password
