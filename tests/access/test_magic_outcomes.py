"""A test key gets each outcome on demand, over HTTP, the same each time: what an integrator's own tests build on."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pytest_django.live_server_helper import LiveServer

from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Delivery
from tests import factories
from tests.access.gateway import MESSAGES, order

pytestmark = pytest.mark.django_db(transaction=True)
#: For each outcome the state of the delivery, its code and the number of attempts.
OUTCOMES = {
    "delivered": ("delivered", "", 1),
    "bounced": ("undelivered", "bounced", 1),
    "unreachable": ("failed", "unreachable", 1),
    "opted_out": ("failed", "opted_out", 1),
    "throttled": ("delivered", "", 2),
    "muted": ("skipped", "opted_out", 0),
    "suppressed": ("skipped", "suppressed", 0),
}


class Integrator:
    """A program of another team: it knows the address of the gateway and a test key."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = factories.key(is_test=True)[1]

    def call(self, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self.url + path, data, headers)) as answer:
                return answer.status, json.load(answer)
        except HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def outcome_of(self, to: dict[str, str]) -> tuple[str, str, int]:
        """What becomes of a mail, once everything has been tried that is due."""
        status, accepted = self.call(MESSAGES, order(channels=["email"], to=to))
        assert (status, accepted["test"]) == (202, True)
        for _ in range(2):
            dispatch.run("normal")
            for waiting in Delivery.objects.filter(state="pending"):
                factories.make_due(waiting)  # the next attempt, without the wait
        [delivery] = self.call(f"{MESSAGES}/{accepted['id']}")[1]["deliveries"]
        return delivery["state"], delivery["code"], delivery["attempts"]


@pytest.fixture
def integrator(live_server: LiveServer) -> Integrator:
    factories.template()
    return Integrator(live_server.url)


def test_each_outcome_comes_on_demand_and_again(integrator: Integrator) -> None:
    for _ in range(2):
        told = {name: integrator.outcome_of({"recipient": f"simulated:{name}"}) for name in OUTCOMES}
        assert told == OUTCOMES


def test_an_address_names_an_outcome_as_well(integrator: Integrator) -> None:
    assert integrator.outcome_of({"email": "bounced+7@simulator.example"}) == OUTCOMES["bounced"]
    assert integrator.outcome_of({"email": "ann@example.com"}) == OUTCOMES["delivered"]


def test_who_has_no_address_is_refused(integrator: Integrator) -> None:
    body = order(channels=["email"], to={"recipient": "simulated:no_address"})
    status, problem = integrator.call(MESSAGES, body)
    assert (status, problem["errors"][0]["code"]) == (422, "no_usable_address")
    assert not Delivery.objects.exists()
