"""Statements that are spoken straight to libpq raise what Django's own would raise."""

import pytest
from django.db import InterfaceError, OperationalError, connection, connections

from pushcenter import prepared

pytestmark = pytest.mark.django_db(transaction=True)


def end_from_outside() -> None:
    """Have the server end our connection."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


def test_a_connection_that_the_server_has_ended_is_the_databases_fault() -> None:
    end_from_outside()
    try:
        for _ in range(2):  # the server's farewell, and then only libpq
            with pytest.raises((OperationalError, InterfaceError)):
                prepared.rows("SELECT 1")
    finally:
        connection.close()

    assert prepared.rows("SELECT 1") == [("1",)]


@pytest.mark.parametrize("is_known", [False, True])
def test_a_connection_that_was_ended_is_revived(*, is_known: bool) -> None:
    end_from_outside()
    if is_known:  # libpq has noticed, and does not even ask any more
        with pytest.raises((OperationalError, InterfaceError)):
            prepared.rows("SELECT 1")
    prepared.revive()
    assert prepared.rows("SELECT 1") == [("1",)]


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["a"],
        ["a", "b"],
        [None],
        ["a", None],
        ['a"b', "c"],
        ["a\\", "b"],
        ["", ""],
        ['"'],
        ['","'],
        ["a,b", "{}"],
    ],
)
def test_an_array_comes_through_as_it_is(values: list[str | None]) -> None:
    found = prepared.rows("SELECT each FROM unnest($1::text[]) AS each", prepared.array(values))
    assert found == [(each,) for each in values]


def test_values_of_every_type_are_read_as_texts() -> None:
    statement = (
        "SELECT 1, true, '{\"a\": \"订单\"}'::jsonb, null::uuid, ARRAY['a'], interval '1 day', 'x'::bytea"
    )
    assert prepared.rows(statement) == [("1", "t", '{"a": "订单"}', None, "{a}", "1 day", "\\x78")]
