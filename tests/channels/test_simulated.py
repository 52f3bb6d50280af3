"""The simulated provider: every outcome on demand, and always the same."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_app.adapters.simulated import MAGIC, SimulatedAdapter, magic_outcome
from channels_app.channels import email_address, http_url, opaque, phone_number
from channels_app.contract import (
    Address,
    ChannelError,
    Misconfigured,
    Outcome,
    Outgoing,
    Refused,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)

NOBODY = Address(kind="email", value="ann@example.com")


def mail_to(name: str) -> Address:
    return Address(kind="email", value=f"{name}@simulator.example")


def deliver(
    address: Address = NOBODY, *, attempt: int = 1, config: dict[str, Any] | None = None
) -> Sent | ChannelError:
    message = Outgoing(id="d-1", address=address, content={}, attempt=attempt)
    try:
        return asyncio.run(SimulatedAdapter(config or {}).send(message))
    except ChannelError as error:
        return error


@pytest.mark.parametrize("name", MAGIC)
def test_every_kind_of_address_can_name_every_outcome(name: str) -> None:
    number = phone_number(f"+1 202 555 01{MAGIC[name].digits}")
    written = [
        ("email", email_address(f"{name}@simulator.example")),
        ("email", email_address(f"{name}+42@simulator.example")),
        ("phone", number),
        ("url", http_url(f"https://simulator.example/{name}")),
        ("url", http_url(f"https://simulator.example/{name}/42?x=1")),
        ("push_token", opaque(f"simulated:{name}")),
        ("wecom_userid", opaque(f"simulated:{name}:42")),
    ]
    for kind, value in written:
        assert magic_outcome(Address(kind=kind, value=value)) == name, value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "bounced@example.com"),
        ("email", "nonsense@simulator.example"),
        ("phone", "+12025550199"),
        ("phone", "+8613800138000"),
        ("url", "https://example.com/bounced"),
        ("url", "https://simulator.example"),
        ("url", "https://simulator.example/"),
        ("push_token", "bounced"),
        ("push_token", "simulated:nonsense"),
    ],
)
def test_any_other_address_names_none(kind: str, value: str) -> None:
    assert magic_outcome(Address(kind=kind, value=value)) is None


def test_every_outcome_has_digits_of_its_own() -> None:
    assert len({behaviour.digits for behaviour in MAGIC.values()}) == len(MAGIC)


def test_an_ordinary_address_is_delivered() -> None:
    assert deliver() == Sent(provider_id="simulated-d-1", final=True)


def test_a_delivery_of_which_nothing_is_heard_is_sent_and_no_more() -> None:
    assert deliver(mail_to("sent")) == Sent(provider_id="simulated-d-1")


ERRORS: list[tuple[str, type[ChannelError], dict[str, Any]]] = [
    ("unreachable", Unreachable, {"opted_out": False}),
    ("opted_out", Unreachable, {"opted_out": True}),
    ("refused", Refused, {}),
    ("down", Temporary, {"maybe_sent": False}),
    ("misconfigured", Misconfigured, {}),
]
FIRST_ERRORS: list[tuple[str, type[ChannelError], dict[str, Any]]] = [
    ("throttled", Throttled, {"retry_after": 1.0}),
    ("temporary", Temporary, {"maybe_sent": False}),
    ("timeout", Temporary, {"maybe_sent": True}),
]


@pytest.mark.parametrize(("name", "kind", "values"), ERRORS + FIRST_ERRORS)
def test_the_first_attempt_fails_as_its_address_says(
    name: str, kind: type[ChannelError], values: dict[str, Any]
) -> None:
    error = deliver(mail_to(name))
    assert type(error) is kind
    assert error.code == name
    assert {key: getattr(error, key) for key in values} == values


@pytest.mark.parametrize("name", [name for name, _kind, _values in ERRORS])
def test_lasting_faults_last(name: str) -> None:
    assert isinstance(deliver(mail_to(name), attempt=7), ChannelError)


@pytest.mark.parametrize("name", [name for name, _kind, _values in FIRST_ERRORS])
def test_passing_faults_are_over_at_the_second_attempt(name: str) -> None:
    assert deliver(mail_to(name), attempt=2) == Sent(provider_id="simulated-d-1", final=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bounced", [(Outcome.UNDELIVERED, 0)]),
        ("receipt_late", [(Outcome.DELIVERED, 3)]),
        ("opened", [(Outcome.DELIVERED, 0), (Outcome.OPENED, 1)]),
    ],
)
def test_receipts_are_foretold(name: str, expected: list[tuple[Outcome, int]]) -> None:
    before = datetime.now(UTC)
    sent = deliver(mail_to(name))
    assert isinstance(sent, Sent)
    assert not sent.final
    assert [receipt.outcome for receipt in sent.receipts] == [outcome for outcome, _after in expected]
    for receipt, (_outcome, after) in zip(sent.receipts, expected, strict=True):
        assert receipt.provider_id == sent.provider_id
        assert receipt.at is not None
        assert timedelta() <= receipt.at - before - timedelta(seconds=after) < timedelta(seconds=1)
    assert len({receipt.event_id for receipt in sent.receipts}) == len(expected)


def test_the_account_decides_where_the_address_does_not() -> None:
    config = {"outcome": "refused", "latency_ms": 0, "receipt_delay_ms": 0}
    assert isinstance(deliver(config=config), Refused)
    assert isinstance(deliver(mail_to("delivered"), config=config), Sent)


def test_a_delay_of_receipts_turns_plain_success_into_one() -> None:
    before = datetime.now(UTC)
    sent = deliver(config={"receipt_delay_ms": 60_000})
    assert isinstance(sent, Sent)
    assert not sent.final
    [receipt] = sent.receipts
    assert receipt.outcome is Outcome.DELIVERED
    assert receipt.at is not None
    assert receipt.at - before >= timedelta(seconds=60)


@pytest.mark.parametrize(
    ("address", "config", "least"),
    [(mail_to("slow"), {}, 2.0), (NOBODY, {"latency_ms": 50}, 0.05)],
)
def test_latency_is_waited_for(address: Address, config: dict[str, Any], least: float) -> None:
    start = time.monotonic()
    assert isinstance(deliver(address, config=config), Sent)
    assert time.monotonic() - start >= least


def test_the_form_offers_every_outcome() -> None:
    form = SimulatedAdapter.Config({"outcome": "down", "latency_ms": 0, "receipt_delay_ms": 0})
    assert form.is_valid(), form.errors
    assert [value for value, _label in form.fields["outcome"].choices] == list(MAGIC)  # type: ignore[attr-defined]
