"""What load balancers ask, and what callers hear while the database is away."""

from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from pushcenter.access import keys
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, Gateway, order, problem, stored


def cut_the_line() -> None:
    """The server ends our connection, as at a restart; our next statement finds out."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def client() -> Client:
    return Client(raise_request_exception=False)


def test_a_live_process_says_so_without_the_database() -> None:
    response = client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_a_process_is_ready_when_it_can_store() -> None:
    response = client().get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "database": "ok"})


@pytest.mark.django_db(transaction=True)
def test_a_process_without_its_database_is_not_ready_until_it_is_back() -> None:
    cut_the_line()
    response = client().get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "unavailable"}
    connection.close()
    assert client().get("/readyz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_caller_is_told_to_come_again_while_the_database_is_away() -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    caller = Gateway(factories.key()[1])
    cut_the_line()
    for response in (caller.send(), caller.get(f"{MESSAGES}/{uuid4()}")):
        problem(response, 503, "unavailable")
        assert response["Retry-After"] == "2"
    connection.close()
    assert stored() == NOTHING
    assert caller.send().status_code == 202


@pytest.mark.django_db(transaction=True)
def test_a_provider_is_told_to_come_again_while_the_database_is_away() -> None:
    account = factories.account("sms")
    cut_the_line()
    response = client().post(f"/callbacks/{account.pk}/{account.callback_token}")
    problem(response, 503, "unavailable")
    assert response["Retry-After"] == "2"
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_refusal_that_needs_no_database_is_given_without_one() -> None:
    cut_the_line()
    problem(Gateway("pc_live_nonsense").send(), 401, "invalid_key")
    problem(Gateway(keys.generate(test=False)).post(MESSAGES, order()), 503, "unavailable")
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_person_at_the_console_is_told_to_come_again_while_the_database_is_away() -> None:
    person = client()
    person.force_login(User.objects.create_superuser("admin"))
    cut_the_line()
    response = person.get("/admin/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "The database cannot be reached" in response.content.decode()
    connection.close()
