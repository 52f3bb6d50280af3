"""The first notification of a trial: sent as a business system would, followed to its end, and shown."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pushcenter.demo.client import Answer, Client, NoAnswer
from pushcenter.demo.trace import printable, trace_lines

READY_S = 60.0
ENDED_S = 30.0
RECEIVED_S = 5.0
POLL_S = 0.1

#: A message that is in none of these has come to its end on every channel that it took.
UNDER_WAY = frozenset({"pending", "sending"})
GOOD = frozenset({"sent", "delivered"})


class Failed(Exception):
    """The notification did not arrive; the message says how far it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the receivers hold of one delivery."""

    channel: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstNotification:
    """``gateway`` calls with a key; ``receivers`` is the bundled outside world."""

    gateway: Client
    receivers: Client
    show: Callable[[str], None]
    colours: bool = False

    def run(self) -> bool:
        """Sends, follows and shows it; False where it did not arrive everywhere."""
        try:
            self._wait_until_ready()
            self._send_and_follow()
        except (Failed, NoAnswer) as error:
            self.show(f"The first notification did not arrive: {printable(str(error))}")
            return False
        return True

    def _wait_until_ready(self) -> None:
        for _ in until(READY_S):
            try:
                if self.gateway.get("/readyz").status == 200:
                    return
            except NoAnswer:
                continue
        raise Failed(f"the web server was not ready within {READY_S:.0f} seconds; its lines above say why.")

    def _send_and_follow(self) -> None:
        body = order_paid()
        accepted = self.gateway.post("/api/v1/messages", body)
        if accepted.status != 202:
            raise Failed(f"POST /api/v1/messages was answered with {told(accepted)}")
        path = f"/api/v1/messages/{accepted.value['id']}"
        self.show(f"Sent a notification through the API: {body['template']} to {body['to']['recipient']}")
        deliveries = self._wait_for_end(path)
        self._show_trace(path)
        states = {each["channel"]: each["state"] for each in deliveries}
        if not states or not set(states.values()) <= GOOD:
            raise Failed(
                ", ".join(f"{channel} is {state}" for channel, state in states.items()) or "no delivery"
            )
        for arrival in self._arrivals(deliveries):
            self.show(f"  {arrival.channel:<8} {arrival.place}")

    def _wait_for_end(self, path: str) -> list[dict[str, Any]]:
        """The deliveries, when each has ended or the time is up."""
        deliveries: list[dict[str, Any]] = []
        for _ in until(ENDED_S):
            answer = self.gateway.get(path)
            if answer.status != 200:
                raise Failed(f"GET {path} was answered with {told(answer)}")
            deliveries = answer.value["deliveries"]
            if not any(each["state"] in UNDER_WAY for each in deliveries):
                break
        return deliveries

    def _show_trace(self, path: str) -> None:
        answer = self.gateway.get(f"{path}/trace")
        if answer.status != 200:
            raise Failed(f"GET {path}/trace was answered with {told(answer)}")
        self.show("")
        for line in trace_lines(answer.value["entries"], colours=self.colours):
            self.show(f"  {line}")
        self.show("")

    def _arrivals(self, deliveries: list[dict[str, Any]]) -> Iterator[Arrival]:
        """Ask the receivers themselves, whatever Push Center believes; raises :class:`Failed`."""
        for delivery in deliveries:
            channel, delivery_id = delivery["channel"], delivery["id"]
            if channel == "email":
                mail = self._received("mails", {"delivery": delivery_id})
                place = f"is in the mail sink: {self._url('mail', mail)}"
            elif channel == "webhook":
                call = self._received("webhooks", {"id": delivery_id, "verified": True})
                place = f"was received and its signature verified: {self._url('webhook', call)}"
            else:
                place = f"is {delivery['state']}"
            yield Arrival(channel=channel, place=place)

    def _received(self, what: str, marks: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the receivers list under ``what`` and has these values."""
        for _ in until(RECEIVED_S):
            answer = self.receivers.get(f"/api/{what}")
            for each in answer.value[what] if answer.status == 200 else []:
                if marks.items() <= each.items():
                    return each
        raise Failed(f"the bundled receiver has nothing of it among its {what}")

    def _url(self, kind: str, received: Mapping[str, Any]) -> str:
        return f"http://{self.receivers.host}:{self.receivers.port}/{kind}/{received['number']}"


def until(seconds: float) -> Iterator[None]:
    """Goes on, with short pauses, until the time is up; at least once."""
    deadline = time.monotonic() + seconds
    yield
    while time.monotonic() < deadline:
        time.sleep(POLL_S)
        yield


def told(answer: Answer) -> str:
    """An answer of the API in words: its status, and what a problem document says."""
    problem = answer.value if isinstance(answer.value, dict) else {}
    details = [problem.get("detail", ""), *(fault.get("detail", "") for fault in problem.get("errors", []))]
    return " ".join([str(answer.status), *filter(None, details)])


def order_paid() -> dict[str, Any]:
    """The call of a shop whose customer has just paid."""
    number = f"SO-{datetime.now().astimezone():%Y%m%d}-{secrets.randbelow(10_000):04}"
    return {
        "template": "order-paid",
        "to": {"recipient": "u-1001"},
        "reference": number,
        "params": {
            "order_no": number,
            "amount": "328.00",
            "currency": "CNY",
            "items": [
                {"name": "龙井茶 250 g", "quantity": 2, "price": "128.00"},
                {"name": "青花瓷杯", "quantity": 1, "price": "200.00"},
            ],
            "order_url": f"https://shop.example.com/orders/{number}",
        },
    }
