"""What a process holds in memory follows what is committed, and nothing else."""

import pytest
from django.db import transaction

from pushcenter import held
from pushcenter.held import Held, Topic
from tests import factories


@pytest.fixture
def ask_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look asks the database whether something changed."""
    monkeypatch.setattr(held, "_watch", held._Watch())


class Counting:
    """A loader that counts how often it is asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, key: str) -> str | None:
        self.calls.append(key)
        return None if key == "unknown" else key.upper()


@pytest.fixture
def loader() -> Counting:
    return Counting()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("ask_each_time")
class TestOutsideOfTransactions:
    def test_a_value_is_loaded_once(self, loader: Counting) -> None:
        values = Held(Topic.KEYS, loader)
        assert [values.get("a"), values.get("a")] == ["A", "A"]
        assert loader.calls == ["a"]

    def test_what_does_not_exist_is_asked_for_again(self, loader: Counting) -> None:
        values = Held(Topic.KEYS, loader)
        assert [values.get("unknown"), values.get("unknown")] == [None, None]
        assert len(loader.calls) == 2

    def test_no_more_values_are_held_than_the_limit(self, loader: Counting) -> None:
        values = Held(Topic.KEYS, loader, limit=1)
        for key in ("a", "b", "b", "a"):
            values.get(key)
        assert loader.calls == ["a", "b", "b"]

    @pytest.mark.parametrize(
        ("topic", "changes"),
        [
            (Topic.KEYS, lambda: factories.system("erp")),
            (Topic.KEYS, lambda: factories.key(factories.system("erp"))),
            (Topic.TEMPLATES, lambda: factories.category("billing")),
            (Topic.TEMPLATES, lambda: factories.template("welcome")),
            (Topic.ACCOUNTS, lambda: factories.account("sms")),
        ],
    )
    def test_a_change_of_the_topic_makes_it_load_anew(
        self, loader: Counting, topic: Topic, changes: object
    ) -> None:
        values = Held(topic, loader)
        values.get("a")
        assert callable(changes)
        changes()
        values.get("a")
        assert loader.calls == ["a", "a"]

    def test_the_last_use_of_a_key_is_no_change(self, loader: Counting) -> None:
        key, _ = factories.key()
        values = Held(Topic.KEYS, loader)
        values.get("a")
        type(key).objects.filter(pk=key.pk).update(last_used_at=key.created_at)
        values.get("a")
        assert loader.calls == ["a"]

    def test_a_change_that_is_rolled_back_leaves_what_is_held(self, loader: Counting) -> None:
        values = Held(Topic.KEYS, loader)
        values.get("a")
        with transaction.atomic():
            factories.system("erp")
            transaction.set_rollback(True)
        values.get("a")
        assert loader.calls == ["a"]

    def test_inside_a_transaction_nothing_is_held(self, loader: Counting) -> None:
        values = Held(Topic.KEYS, loader)
        with transaction.atomic():
            values.get("a")
            values.get("a")
        assert loader.calls == ["a", "a"]


@pytest.mark.django_db(transaction=True)
def test_between_two_looks_the_database_is_not_asked(
    loader: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "CHECK_EVERY", 3600.0)
    monkeypatch.setattr(held, "_watch", held._Watch())
    values = Held(Topic.KEYS, loader)
    values.get("a")
    factories.system("erp")
    values.get("a")
    assert loader.calls == ["a"]
