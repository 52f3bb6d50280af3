"""Each call needs its scope; a call that forgets to name one is open to nobody."""

import pytest

from pushcenter.access.models import Scope
from pushcenter.access.views.base import GatewayView
from tests import factories
from tests.access.gateway import Gateway, problem
from tests.access.routes import API, CALLS, VERBS, address, names

pytestmark = pytest.mark.django_db
#: Calls that every valid key may make; each is named here, so that none is open by mistake.
OPEN = {("get", "/api/v1/system")}


def test_every_address_of_the_api_stands_behind_the_gate() -> None:
    assert len(API) >= 5
    assert [route for route, view in API if not issubclass(view, GatewayView)] == []


GUARDED = [(route, view, verb) for route, view, verb in CALLS if (verb, route) not in OPEN]


@pytest.mark.parametrize(("route", "view", "verb"), GUARDED, ids=names(GUARDED))
def test_a_call_names_its_scope_and_refuses_a_key_without_it(
    route: str, view: type[GatewayView], verb: str
) -> None:
    scope = view.scopes.get(verb.upper())
    assert scope in Scope.values, f"{verb} {route} declares no scope"
    others = [each for each in Scope.values if each != scope]
    caller = Gateway(factories.key(scopes=others)[1])
    response = caller.client.generic(verb.upper(), address(route), b"{}", content_type="application/json")
    assert scope in problem(response, 403, "missing_scope")["detail"]


@pytest.mark.parametrize(("route", "view", "verb"), CALLS, ids=names(CALLS))
def test_a_call_without_a_key_is_refused(route: str, view: type[GatewayView], verb: str) -> None:
    problem(Gateway().client.generic(verb.upper(), address(route)), 401, "missing_key")


MISSING = [(route, view, verb) for route, view in API for verb in VERBS if not hasattr(view, verb)]


@pytest.mark.parametrize(("route", "view", "verb"), MISSING, ids=names(MISSING))
def test_a_method_that_a_call_does_not_have_is_not_allowed(
    route: str, view: type[GatewayView], verb: str
) -> None:
    response = Gateway(factories.key()[1]).client.generic(verb.upper(), address(route))
    problem(response, 405, "method_not_allowed")
    allowed = {each.upper() for each in VERBS if hasattr(view, each)}
    assert set(response["Allow"].split(", ")) - {"HEAD"} == allowed


@pytest.mark.parametrize("verb", ["OPTIONS", "TRACE", "CONNECT", "PROPFIND", "NONSENSE"])
def test_other_methods_are_not_allowed(verb: str) -> None:
    response = Gateway(factories.key()[1]).client.generic(verb, "/api/v1/messages")
    problem(response, 405, "method_not_allowed")


def test_the_head_of_an_answer_needs_the_scope_of_the_answer(shop: Gateway) -> None:
    place = shop.send()["Location"]
    assert shop.client.head(place).status_code == 200
    assert Gateway(factories.key(scopes=[Scope.SEND])[1]).client.head(place).status_code == 403


def test_a_view_that_forgets_its_scopes_is_closed(monkeypatch: pytest.MonkeyPatch, shop: Gateway) -> None:
    view = next(view for route, view in API if route == "/api/v1/messages")
    monkeypatch.setattr(view, "scopes", {})
    problem(shop.send(), 403, "missing_scope")
