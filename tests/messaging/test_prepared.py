"""Statements that are spoken straight to libpq raise what Django's own would raise."""

import pytest
from django.db import InterfaceError, OperationalError, connection, connections

from pushcenter import prepared

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_connection_that_the_server_has_ended_is_the_databases_fault() -> None:
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()

    try:
        for _ in range(2):  # the server's farewell, and then only libpq
            with pytest.raises((OperationalError, InterfaceError)):
                prepared.rows("SELECT 1")
    finally:
        connection.close()

    assert prepared.rows("SELECT 1") == [("1",)]
