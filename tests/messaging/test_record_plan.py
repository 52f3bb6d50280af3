"""The record looks each delivery up by its id, whatever PostgreSQL has last counted in the table."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from psycopg import sql

from pushcenter import prepared
from pushcenter.messaging import outcomes
from pushcenter.messaging.models import Delivery
from tests import claiming, factories
from tests.bench import stock

pytestmark = pytest.mark.django_db

GROUP = 300


@pytest.fixture(autouse=True)
def _props(db: None) -> None:
    factories.template(channels=["email"])
    factories.account("email")
    stock.people(3)


def explained(params: list[str | None]) -> dict[str, Any]:
    """What PostgreSQL did, by the plan that it makes for all values."""
    statement = sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE of_a_group ({})")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE of_a_group AS {outcomes.RECORD}")
        cursor.execute(statement.format(sql.SQL(", ").join(map(sql.Literal, params))))
        [(found,)] = cursor.fetchall()
        cursor.execute("DEALLOCATE of_a_group")
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("was_counted", ["when all were sent", "before the table was emptied", "never"])
def test_nothing_is_compared_with_everything(was_counted: str) -> None:
    if was_counted != "never":
        stock.history(15_000, "order-paid", caller=factories.caller())
        execute("ANALYZE messaging_delivery")
    if was_counted == "before the table was emptied":
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("TRUNCATE messaging_delivery CASCADE")
    stock.queue(2_000, "order-paid", caller=factories.caller())
    claiming.claim(limit=500)
    columns = zip(*map(outcomes._values, map(claiming.ended, claiming.claim(limit=GROUP))), strict=True)
    plan = explained([prepared.array(column) for column in columns])
    dropped = [
        node.get(f"Rows Removed by {which}", 0) * node["Actual Loops"]
        for node in nodes(plan)
        for which in ("Filter", "Join Filter", "Index Recheck")
    ]
    assert sum(dropped) < 10 * GROUP
    read = {node.get("Index Name") for node in nodes(plan) if _reads(node)}
    assert read == {"messaging_delivery_pkey"}
    assert Delivery.objects.filter(state="sending").count() == 500, "it was really done"


def _reads(node: dict[str, Any]) -> bool:
    return node.get("Relation Name") == "messaging_delivery" and node["Node Type"] != "ModifyTable"
