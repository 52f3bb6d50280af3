"""A worker that puts aside and an operator who resumes at the same moment: whoever is second sees the first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from pushcenter.messaging import stops
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.models import Delivery, Stop, StopKind
from templates_app.models import Template
from tests import claiming, factories
from tests.threads import until

pytestmark = pytest.mark.django_db(transaction=True)
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
def template() -> Template:
    factories.account("email")
    return factories.template(channels=["email"])


@pytest.fixture
def claimed(template: Template) -> Claimed:
    factories.message(to={"email": "li@example.com"})
    stops.stop(StopKind.TEMPLATE, str(template.pk), by="olga")
    [row] = claiming.claim()
    return row


def put_back(row: Claimed) -> None:
    Delivery.objects.put_back([row])


def resume(template: Template) -> Stop | None:
    return stops.resume(StopKind.TEMPLATE, str(template.pk), by="olga")


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return bool(cursor.fetchone()[0])


def meanwhile(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """Do the first thing, and commit it only when the second, in another thread, waits for it."""

    def alone() -> Any:
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            done = first()
            future = pool.submit(alone)
            until(somebody_waits)
        return done, future.result(30)


def test_who_resumes_waits_for_the_mark_and_lets_it_go(template: Template, claimed: Claimed) -> None:
    _done, ended = meanwhile(lambda: put_back(claimed), lambda: resume(template))
    assert claiming.row(claimed).held
    stops.let_go(str(ended.pk))
    delivery = claiming.row(claimed)
    assert (delivery.state, delivery.held) == ("pending", False)


def test_who_puts_aside_after_the_end_leaves_no_mark(template: Template, claimed: Claimed) -> None:
    meanwhile(lambda: resume(template), lambda: put_back(claimed))
    delivery = claiming.row(claimed)
    assert (delivery.state, delivery.held) == ("pending", False)
