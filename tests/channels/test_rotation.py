"""``manage.py rotate_secrets``: after it the old key can go."""

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from channels_app.models import Account, AccountToken
from channels_app.secrets import encrypt
from tests import factories

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
def account(settings: Settings) -> Account:
    """Stored with the old key."""
    settings.FIELD_KEYS = [OLD]
    return factories.account("webhook", "http", config={"secret": SECRET})


def rotate() -> str:
    out = io.StringIO()
    call_command("rotate_secrets", stdout=out)
    return out.getvalue()


def test_the_old_key_is_needed_no_more(account: Account, settings: Settings) -> None:
    settings.FIELD_KEYS = [NEW, OLD]
    assert rotate() == "1 accounts encrypted anew, 0 tokens will be fetched again.\n"
    settings.FIELD_KEYS = [NEW]
    assert Account.objects.get().secret_values() == {"secret": SECRET}


def test_connected_workers_learn_of_it_and_tokens_are_given_up(account: Account, settings: Settings) -> None:
    AccountToken.objects.create(account=account, name="access", encrypted=encrypt("t"))
    settings.FIELD_KEYS = [NEW, OLD]
    assert "1 tokens" in rotate()
    assert Account.objects.get().updated_at > account.updated_at
    assert not AccountToken.objects.exists()


def test_accounts_that_no_key_can_read_are_named_and_the_others_are_done(
    account: Account, settings: Settings
) -> None:
    settings.FIELD_KEYS = [NEW]
    readable = factories.account("webhook", "http", name="other", config={"secret": SECRET})
    before = readable.secrets
    with pytest.raises(CommandError, match="webhook http"):
        rotate()
    readable.refresh_from_db()
    assert readable.secrets != before
