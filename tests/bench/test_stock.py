"""What a measurement makes up is like what it stands for: the ledger balances, and a worker sends it."""

import pytest
from django.core.management import call_command

from pushcenter.lanes import Lane
from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Attempt, Delivery
from tests import factories
from tests.bench import stock
from tests.bench.__main__ import LONG, chosen, parts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _props(db: None) -> None:
    factories.template(channels=["email"])
    factories.account("email")
    stock.people(3)


def states() -> dict[str, int]:
    rows = Delivery.objects.values_list("state", flat=True)
    return {state: list(rows).count(state) for state in set(rows)}


def test_the_ledger_balances(capsys: pytest.CaptureFixture[str]) -> None:
    stock.history(20, "order-paid", caller=factories.caller())
    stock.queue(10, "order-paid", caller=factories.caller(), priority=Lane.LOW)
    assert states() == {"delivered": 20, "pending": 11}
    assert Attempt.objects.count() == 20
    call_command("audit")
    assert "Everything fits" in capsys.readouterr().out


def test_copies_go_to_all_people_and_are_sent_as_any_other() -> None:
    stock.queue(7, "order-paid", caller=factories.caller())
    assert len(set(Delivery.objects.values_list("address", flat=True))) == 3
    assert dispatch.run(Lane.NORMAL) == 7
    assert states() == {"delivered": 7}


def test_parts_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_ONLY", raising=False)
    assert set(chosen(parts())) == set(parts()) - LONG
    monkeypatch.setenv("BENCH_ONLY", "soak,idle")
    assert set(chosen(parts())) == {"soak", "idle"}
    monkeypatch.setenv("BENCH_ONLY", "idel")
    with pytest.raises(SystemExit, match="idel"):
        chosen(parts())
