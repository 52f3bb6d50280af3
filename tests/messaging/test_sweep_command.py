"""``manage.py sweep`` says what it found, and outlives a database that is away."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from pushcenter.messaging import sweep
from pushcenter.messaging.models import Delivery
from pushcenter.messaging.states import State
from tests import claiming, factories

pytestmark = pytest.mark.django_db


def test_it_settles_what_a_lost_worker_left() -> None:
    factories.template(channels=["inbox"], priority="high")
    factories.account("inbox", "inbox")
    factories.recipient()
    message = factories.message()
    claiming.claim("high")
    Delivery.objects.update(lease_until=timezone.now())

    said = StringIO()
    call_command("sweep", stdout=said)

    assert said.getvalue().startswith("expired 0, repeated 1, in doubt 0, lanes woken: ")
    assert message.deliveries.get().state == State.PENDING


def test_it_goes_on_when_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Enough(Exception):
        pass

    answers: list[sweep.Swept | Exception] = [
        OperationalError("gone"),
        sweep.Swept(),
        sweep.Swept(held=2),
        Enough(),
    ]

    def run() -> sweep.Swept:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(sweep, "run", run)
    monkeypatch.setattr(connection, "close", lambda: None)
    said, complained = StringIO(), StringIO()
    with pytest.raises(Enough):
        call_command("sweep", "--every", "0", stdout=said, stderr=complained)
    assert said.getvalue() == "expired 0, repeated 0, in doubt 2, lanes woken: none\n"
    assert complained.getvalue() == "The database does not answer: gone\n"
