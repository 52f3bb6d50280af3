"""The gate by itself, as a view without DRF calls it."""

from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework.exceptions import APIException

from pushcenter import held
from pushcenter.access import gate
from pushcenter.access.models import System
from tests import factories

pytestmark = pytest.mark.django_db


def request(secret: str = "", **meta: Any) -> HttpRequest:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return RequestFactory().post("/api/v1/messages", headers=headers, **meta)


def reason(call: HttpRequest, scope: str | None = "send") -> tuple[int, Any]:
    """The status and the code that a call is refused with."""
    with pytest.raises(APIException) as caught:
        gate.admit(call, scope=scope)
    return caught.value.status_code, caught.value.get_codes()


def test_who_may_is_let_in_with_its_system() -> None:
    row, secret = factories.key(scopes=["send"])
    caller = gate.admit(request(secret), scope="send")
    assert (caller.key, caller.system) == (row, row.system)
    assert set(gate.limit_headers(caller)) == {"RateLimit", "RateLimit-Policy"}


def test_a_call_without_a_scope_is_open_to_every_valid_key() -> None:
    secret = factories.key(scopes=["stats"])[1]
    assert gate.admit(request(secret), scope=None).may("stats")


def test_what_fails_first_is_said() -> None:
    """One request in which everything is wrong; then one thing after another is put right."""
    system = factories.system(is_active=False, rate=1, burst=1)
    secret = factories.key(system, scopes=["read"], allowed_networks=["10.0.0.0/8"])[1]
    inside = {"REMOTE_ADDR": "10.0.0.1"}
    assert reason(request()) == (401, gate.Reason.MISSING_KEY)
    assert reason(request(secret)) == (401, gate.Reason.INVALID_KEY)
    System.objects.update(is_active=True)
    assert reason(request(secret)) == (403, gate.Reason.ADDRESS_NOT_PERMITTED)
    assert reason(request(secret, **inside)) == (403, gate.Reason.MISSING_SCOPE)
    gate.admit(request(secret, **inside), scope="read")
    assert reason(request(secret, **inside), "read") == (429, gate.Reason.RATE_LIMITED)
    assert reason(request(secret, **inside)) == (403, gate.Reason.MISSING_SCOPE)


@pytest.mark.django_db(transaction=True)
def test_a_request_costs_no_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "CHECK_EVERY", 1.0)
    secret = factories.key()[1]
    for _ in range(2):
        gate.admit(request(secret), scope="send")
    with CaptureQueriesContext(connection) as queries:
        for _ in range(40):
            gate.admit(request(secret), scope="send")
    assert {each["sql"].partition(" ")[0] for each in queries} <= {"SELECT"}  # what changed, once a second
    assert len(queries) <= 1
