from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from pushcenter.access import keys
from pushcenter.access.models import ApiKey, Scope
from tests import factories

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> str:
    output = StringIO()
    call_command("create_key", *arguments, stdout=output)
    return output.getvalue()


def test_it_prints_the_key_alone_and_stores_its_digest() -> None:
    factories.system("shop")
    printed = create("shop")
    key = printed.removesuffix("\n")
    assert keys.is_well_formed(key)
    row = ApiKey.objects.get(digest=keys.digest(key))
    assert (row.system.code, row.is_test, row.scopes) == ("shop", False, ["send", "read"])


def test_a_test_key_with_scopes_and_a_name() -> None:
    factories.system("shop")
    key = create("shop", "--test", "--scopes", "read, recipients", "--name", "CI").strip()
    row = ApiKey.objects.get(digest=keys.digest(key))
    assert key.startswith("pc_test_")
    assert (row.is_test, row.scopes, row.name) == (True, ["read", "recipients"], "CI")


def test_every_scope_can_be_given() -> None:
    factories.system("shop")
    key = create("shop", "--scopes", ",".join(Scope.values)).strip()
    assert ApiKey.objects.get(digest=keys.digest(key)).scopes == Scope.values


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["shp"], "No system has the code 'shp'. Known: shop."),
        (
            ["shop", "--scopes", "send,fly"],
            "Unknown: fly. Scopes are send, read, recipients, templates, broadcast, stats, keys.",
        ),
        (["shop", "--scopes", ","], "No scope is given."),
        (["shop", "--name", "x" * 101], "longer than 100"),
    ],
)
def test_a_mistake_gets_a_sentence_and_no_key(arguments: list[str], sentence: str) -> None:
    factories.system("shop")
    with pytest.raises(CommandError, match=sentence.replace(".", r"\.")):
        create(*arguments)
    assert not ApiKey.objects.exists()


def test_an_inactive_system_gets_no_key() -> None:
    factories.system("shop", is_active=False)
    with pytest.raises(CommandError, match="inactive"):
        create("shop")
