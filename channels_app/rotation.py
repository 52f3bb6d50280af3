"""Encrypting everything that is stored anew, with the first of ``FIELD_KEYS``."""

from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from channels_app import secrets
from channels_app.models import Account, AccountToken


@dataclass(slots=True)
class Rotated:
    """How many accounts were encrypted anew, how many tokens given up; whom no present key can read, by name."""

    accounts: int = 0
    tokens: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate() -> Rotated:
    """Each row in a transaction of its own, so that it does no harm beside running workers, nor when repeated."""
    done = Rotated()
    for pk in Account.objects.exclude(secrets="").values_list("pk", flat=True):
        try:
            done.accounts += _account(pk)
        except secrets.UnreadableSecret:
            done.unreadable.append(Account.objects.values_list("name", flat=True).get(pk=pk))
    # Tokens can be fetched again at any time, and other secrets ask for other tokens anyway.
    done.tokens = AccountToken.objects.exclude(encrypted="").delete()[0]
    return done


@transaction.atomic
def _account(pk: UUID) -> int:
    account = Account.objects.select_for_update().filter(pk=pk).first()
    if account is None:
        return 0
    fresh = secrets.encrypt(account.secret_values())
    return Account.objects.filter(pk=pk).update(secrets=fresh, updated_at=timezone.now())
