"""``/callbacks/{account}/{token}``: what providers report, in whatever order and form it comes."""

import json
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from channels_app import registry
from channels_app.models import Account
from pushcenter.messaging import dispatch, sweep
from pushcenter.messaging.models import Delivery, Interaction, Receipt, ReceiptCall, Tally
from pushcenter.messaging.trace import timeline
from pushcenter.recipients.models import Suppression
from tests import claiming, factories
from tests.access.carrier import SIGNATURE, CarrierAdapter
from tests.access.gateway import problem

pytestmark = pytest.mark.django_db
PHONE = "+8613800138000"


@pytest.fixture
def carrier(db: None, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account of the carrier, and one message that is pending on it."""
    known = {**registry.adapters(), CarrierAdapter.name: CarrierAdapter}
    monkeypatch.setattr(registry, "adapters", lambda: known)
    factories.template(channels=["sms"])
    account = factories.account("sms", "carrier", config={"secret": "s3cret"})
    factories.message(to={"phone": PHONE})
    return account


def call(account: Account, body: bytes | list[dict[str, str]], **changes: Any) -> Any:
    """The carrier's call, signed unless told otherwise."""
    client = Client(raise_request_exception=False)
    path = changes.pop("path", f"/callbacks/{account.pk}/{account.callback_token}")
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = changes.pop("headers", {SIGNATURE: "s3cret"})
    return client.post(path, content, content_type="application/json", headers=headers, **changes)


def sent() -> Delivery:
    """Put the message in the carrier's hands."""
    assert dispatch.run("normal") == 1
    return Delivery.objects.get(state="sent")


def report(delivery: Delivery, status: str, **more: str) -> dict[str, str]:
    return {"id": delivery.provider_id, "status": status, **more}


def measures() -> dict[str, int]:
    found: dict[str, int] = {}
    for each in Tally.objects.all():
        found[each.measure] = found.get(each.measure, 0) + each.amount
    return {name: amount for name, amount in found.items() if amount}


@pytest.mark.parametrize("part", ["token", "account", "other"])
def test_a_wrong_address_is_not_found_and_nothing_is_kept(carrier: Account, part: str) -> None:
    other = factories.account("sms", name="another one")
    paths = {
        "token": f"/callbacks/{carrier.pk}/{'x' * 32}",
        "account": f"/callbacks/{uuid4()}/{carrier.callback_token}",
        "other": f"/callbacks/{other.pk}/{carrier.callback_token}",
    }
    problem(call(carrier, [], path=paths[part]), 404, "not_found")
    assert ReceiptCall.objects.count() == 0


def test_a_call_for_an_adapter_that_reports_nothing_is_not_believed(db: None) -> None:
    account = factories.account("email", "simulated")
    problem(call(account, []), 401, "not_verified")


def test_a_call_for_an_adapter_that_is_gone_is_not_believed(carrier: Account) -> None:
    Account.objects.update(adapter="gone")
    problem(call(carrier, []), 401, "not_verified")


def test_a_call_for_an_account_whose_secrets_cannot_be_read_is_asked_to_come_again(carrier: Account) -> None:
    Account.objects.update(secrets="encrypted with a lost key")
    problem(call(carrier, []), 503, "unavailable")


def test_a_forged_call_is_kept_with_that_remark_and_changes_nothing(carrier: Account) -> None:
    delivery = sent()
    response = call(carrier, [report(delivery, "delivered")], headers={SIGNATURE: "guessed"})
    problem(response, 401, "not_verified")
    kept = ReceiptCall.objects.get()
    assert (kept.verdict, kept.error) == ("forged", "another signature")
    delivery.refresh_from_db()
    assert (delivery.state, Receipt.objects.count()) == ("sent", 0)


NETWORKS = [
    ([], "203.0.113.9", 200),
    (["203.0.113.0/24"], "203.0.113.9", 200),
    (["203.0.113.0/24"], "::ffff:203.0.113.9", 200),
    (["203.0.113.0/24", "198.51.100.7"], "198.51.100.7", 200),
    (["203.0.113.0/24"], "198.51.100.7", 403),
    (["203.0.113.0/24"], "", 403),
    (["203.0.113.0/24"], "2001:db8::1", 403),
]


@pytest.mark.parametrize(("networks", "address", "status"), NETWORKS)
def test_calls_come_from_the_networks_of_the_provider(
    carrier: Account, networks: list[str], address: str, status: int
) -> None:
    Account.objects.update(callback_networks=networks)
    assert call(carrier, [], REMOTE_ADDR=address).status_code == status


def test_a_call_from_elsewhere_is_counted_without_its_body(carrier: Account) -> None:
    Account.objects.update(callback_networks=["203.0.113.0/24"])
    delivery = sent()
    problem(call(carrier, [report(delivery, "delivered")]), 403, "not_from_the_provider")
    kept = ReceiptCall.objects.get()
    assert (kept.verdict, kept.error, bytes(kept.body)) == ("denied", "from 127.0.0.1", b"")
    delivery.refresh_from_db()
    assert delivery.state == "sent"


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(
    carrier: Account, settings: Settings
) -> None:
    settings.BEHIND_PROXY = True
    Account.objects.update(callback_networks=["203.0.113.0/24"])
    for forwarded, status in (("203.0.113.9, 198.51.100.7", 403), ("198.51.100.7, 203.0.113.9", 200)):
        headers = {SIGNATURE: "s3cret", "X-Forwarded-For": forwarded}
        assert call(carrier, [], headers=headers).status_code == status


def test_a_body_over_the_limit_is_refused_unread(carrier: Account, settings: Settings) -> None:
    settings.MAX_BODY_BYTES = 100
    problem(call(carrier, b"[" + b" " * 100), 413, "body_too_large")
    assert ReceiptCall.objects.count() == 0


def test_the_answer_is_what_the_provider_wants_to_hear(carrier: Account) -> None:
    response = call(carrier, [])
    assert (response.status_code, response.content, response["Content-Type"]) == (200, b"<ok/>", "text/xml")


def test_a_call_is_kept_as_it_came_but_for_its_secrets(carrier: Account) -> None:
    body = json.dumps([report(sent(), "delivered")], indent=1).encode()
    headers = {SIGNATURE: "s3cret", "Authorization": "Basic c2VjcmV0", "X-Trace": "7"}
    path = f"/callbacks/{carrier.pk}/{carrier.callback_token}?part=1"
    assert call(carrier, body, headers=headers, path=path).status_code == 200
    kept = ReceiptCall.objects.get()
    assert (bytes(kept.body), kept.query, kept.error) == (body, {"part": "1"}, "")
    assert kept.headers["x-trace"] == "7"
    assert "authorization" not in kept.headers
    assert Receipt.objects.get().call == kept


@pytest.mark.parametrize("event", ["", "e-1"], ids=["without an id", "with an id"])
def test_a_repeated_receipt_is_applied_once(carrier: Account, event: str) -> None:
    delivery = sent()
    reports = [report(delivery, "delivered", event=event)]
    for _ in range(3):
        assert call(carrier, reports).status_code == 200
    assert call(carrier, reports * 2).status_code == 200
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert (Receipt.objects.count(), ReceiptCall.objects.count()) == (1, 4)
    assert measures() == {"accepted": 1, "sent": 1, "delivered": 1}


ORDERS = list(permutations(["sent", "delivered", "opened", "undelivered"]))


@pytest.mark.parametrize("order", ORDERS, ids=map(" ".join, ORDERS))
def test_the_order_of_receipts_does_not_matter(carrier: Account, order: tuple[str, ...]) -> None:
    delivery = sent()
    for status in order:
        assert call(carrier, [report(delivery, status)]).status_code == 200
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert delivery.opened_at is not None
    assert Interaction.objects.count() == 1
    assert measures() == {"accepted": 1, "sent": 1, "delivered": 1, "opened": 1}


def test_a_bounce_alone_ends_a_delivery(carrier: Account) -> None:
    delivery = sent()
    call(carrier, [report(delivery, "undelivered", code="30005")])
    delivery.refresh_from_db()
    assert (delivery.state, delivery.code) == ("undelivered", "30005")
    assert measures() == {"accepted": 1, "sent": 1, "undelivered": 1}


def test_an_early_receipt_is_matched_by_the_sweep(carrier: Account) -> None:
    delivery = Delivery.objects.get()
    early = {"id": f"carrier-{delivery.pk}", "status": "delivered"}
    assert call(carrier, [early]).status_code == 200
    assert Receipt.objects.get().delivery is None
    sent()
    sweep.run()
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert Receipt.objects.get().delivery == delivery
    sweep.run()
    assert measures() == {"accepted": 1, "sent": 1, "delivered": 1}


def test_an_unknown_word_is_kept_and_changes_nothing(carrier: Account) -> None:
    delivery = sent()
    assert call(carrier, [report(delivery, "teleported", code="9")]).status_code == 200
    delivery.refresh_from_db()
    assert (delivery.state, Receipt.objects.get().outcome) == ("sent", "unknown")


GARBAGE = {
    "nothing": b"",
    "text": b"hello",
    "bytes": bytes(range(256)),
    "another shape": b'{"id": 1}',
    "numbers for texts": b'[{"id": 7, "status": []}]',
    "null": b"null",
    "deep": b"[" * 100_000,
    "null character in the id": b'[{"id": "\\u0000", "status": "delivered"}]',
    "null character in the code": b'[{"id": "a", "status": "delivered", "code": "\\u0000"}]',
    "half a pair": b'[{"id": "\\ud800", "status": "delivered"}]',
    "very long": json.dumps([{"id": "a" * 9000, "status": "delivered", "event": "b" * 9000}]).encode(),
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_no_fault_of_ours(carrier: Account, body: bytes) -> None:
    assert call(carrier, body).status_code in {200, 400}
    assert [bytes(each.body) for each in ReceiptCall.objects.all()] == [body]


@pytest.mark.parametrize("query", ["a=%00", "%00=1", "a=%ff", "a=%ed%a0%80", "a=" + "b" * 5000])
def test_a_strange_query_is_no_fault_of_ours(carrier: Account, query: str) -> None:
    path = f"/callbacks/{carrier.pk}/{carrier.callback_token}?{query}"
    assert call(carrier, [], path=path).status_code in {200, 400}


def test_a_good_receipt_beside_a_bad_one_is_applied_when_it_comes_again(carrier: Account) -> None:
    delivery = sent()
    call(carrier, [report(delivery, "delivered"), {"no": "receipt"}])
    assert ReceiptCall.objects.get().verdict == "unclear"
    call(carrier, [report(delivery, "delivered")])
    delivery.refresh_from_db()
    assert delivery.state == "delivered"


def test_a_handshake_by_get_is_verified_and_answered(carrier: Account) -> None:
    path = f"/callbacks/{carrier.pk}/{carrier.callback_token}?challenge=42"
    client = Client()
    assert client.get(path, headers={SIGNATURE: "s3cret"}).content == b"42"
    assert client.get(path, headers={SIGNATURE: "guessed"}).status_code == 401


def test_an_adapter_that_cannot_answer_is_no_fault_to_the_provider(carrier: Account) -> None:
    delivery = sent()
    path = f"/callbacks/{carrier.pk}/{carrier.callback_token}"
    assert Client().get(path, headers={SIGNATURE: "s3cret"}).content == b"ok"  # no challenge in it
    assert call(carrier, [report(delivery, "delivered")]).status_code == 200


def test_settings_that_do_not_suit_the_adapter_ask_the_provider_to_come_again(
    carrier: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: CarrierAdapter, _config: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(CarrierAdapter, "__init__", broken)
    problem(call(carrier, []), 503, "unavailable")
    assert ReceiptCall.objects.count() == 1


ENDS = list(permutations(["delivered", "undelivered", "unreachable", "complained"]))


@pytest.mark.parametrize("order", ENDS, ids=map(" ".join, ENDS))
def test_a_late_bounce_or_complaint_suppresses_the_address_in_whatever_order(
    carrier: Account, order: tuple[str, ...]
) -> None:
    delivery = sent()
    for status in (*order, *order):
        assert call(carrier, [report(delivery, status)]).status_code == 200
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert Suppression.objects.values_list("kind", "value", "channel", "reason").get() == (
        *("phone", PHONE, "sms"),
        "complained",
    )


def test_what_bounced_after_its_delivery_is_not_written_to_again(carrier: Account) -> None:
    delivery = sent()
    call(carrier, [report(delivery, "delivered")])
    call(carrier, [report(delivery, "undelivered", code="550"), report(delivery, "unreachable", code="550")])
    again = factories.message(to={"phone": PHONE})
    later = again.deliveries.get()
    assert (later.state, later.code) == ("skipped", "suppressed")
    lines = [each.title for each in timeline(delivery.message) if each.kind == "receipt"]
    assert lines == ["Receipt: delivered", "Receipt: undelivered", "Receipt: unreachable"]


def test_a_bounce_that_says_nothing_of_the_address_leaves_it_alone(carrier: Account) -> None:
    call(carrier, [report(sent(), "undelivered")])
    assert not Suppression.objects.exists()


def test_what_a_person_has_said_is_not_forgotten_for_a_bounce(carrier: Account) -> None:
    delivery = sent()
    for order in (["opted_out", "unreachable"], ["unreachable", "opted_out"]):
        Receipt.objects.all().delete()
        Suppression.objects.all().delete()
        for status in order:
            call(carrier, [report(delivery, status)])
        assert Suppression.objects.get().reason == "opted_out"


class TestOurOwnId:
    def test_a_receipt_with_it_needs_no_id_of_the_provider(self, carrier: Account) -> None:
        delivery = sent()
        call(carrier, [{"id": "", "reference": str(delivery.pk), "status": "delivered"}])
        delivery.refresh_from_db()
        assert delivery.state == "delivered"

    def test_a_receipt_with_it_settles_a_doubt(self, carrier: Account) -> None:
        delivery = Delivery.objects.get()
        Delivery.objects.update(state="in_doubt")
        call(carrier, [{"id": "c-1", "reference": str(delivery.pk), "status": "delivered"}])
        delivery.refresh_from_db()
        assert delivery.state == "delivered"

    def test_a_bounce_that_overtakes_our_own_record_waits_for_it(self, carrier: Account) -> None:
        [claimed] = claiming.claim()
        delivery = claiming.row(claimed)
        provider_id = f"carrier-{delivery.pk}"
        call(carrier, [{"id": provider_id, "reference": str(delivery.pk), "status": "undelivered"}])
        Delivery.objects.update(state="sent", provider_id=provider_id, account=carrier, lease_until=None)
        sweep.run()
        delivery.refresh_from_db()
        assert delivery.state == "undelivered"

    @pytest.mark.parametrize("reference", ["nonsense", str(UUID(int=7)), "\u0000"])
    def test_one_that_is_not_ours_is_known_to_nobody(self, carrier: Account, reference: str) -> None:
        assert (
            call(carrier, [{"id": "c-1", "reference": reference, "status": "delivered"}]).status_code == 200
        )
        assert Receipt.objects.get().delivery is None

    def test_a_test_message_cannot_be_reported_on(self, carrier: Account) -> None:
        message = factories.message(to={"phone": PHONE}, caller=factories.caller(is_test=True))
        call(carrier, [{"id": "", "reference": str(message.deliveries.get().pk), "status": "delivered"}])
        assert Receipt.objects.get().delivery is None


class TestOneIdForSeveralPeople:
    @pytest.fixture
    def batch(self, carrier: Account) -> list[Delivery]:
        """Two deliveries that the carrier knows by one id."""
        factories.message(to={"phone": "+8613800138001"})
        dispatch.run("normal")
        Delivery.objects.update(provider_id="batch-1")
        return list(Delivery.objects.order_by("id"))

    def test_the_address_tells_them_apart(self, carrier: Account, batch: list[Delivery]) -> None:
        call(carrier, [{"id": "batch-1", "to": "+86 138 0013 8000", "status": "delivered"}])
        call(carrier, [{"id": "batch-1", "to": "+8613800138001", "status": "undelivered"}])
        states = dict(Delivery.objects.values_list("address", "state"))
        assert states == {PHONE: "delivered", "+8613800138001": "undelivered"}

    def test_early_ones_are_matched_by_address_too_and_then_forget_it(
        self, carrier: Account, batch: list[Delivery]
    ) -> None:
        Delivery.objects.update(provider_id="")
        call(carrier, [{"id": "batch-1", "to": "+8613800138001", "status": "delivered"}])
        Delivery.objects.update(provider_id="batch-1")
        sweep.run()
        states = dict(Delivery.objects.values_list("address", "state"))
        assert states == {PHONE: "sent", "+8613800138001": "delivered"}
        assert Receipt.objects.get().address == ""


class TestStopAndStart:
    def say(self, carrier: Account, status: str, to: str = "+86 138 0013 8000", **more: str) -> None:
        assert call(carrier, [{"id": "", "to": to, "status": status, **more}]).status_code == 200

    def suppressed(self) -> list[tuple[str, str, str, str]]:
        return list(Suppression.objects.values_list("kind", "value", "channel", "reason"))

    def test_stop_suppresses_the_address_on_this_channel(self, carrier: Account) -> None:
        self.say(carrier, "opted_out")
        assert self.suppressed() == [("phone", PHONE, "sms", "opted_out")]

    def test_start_lifts_that_again_as_often_as_people_like(self, carrier: Account) -> None:
        for _ in range(2):
            self.say(carrier, "opted_out")
            assert len(self.suppressed()) == 1
            self.say(carrier, "opted_in")
            assert self.suppressed() == []

    def test_start_lifts_no_other_reason(self, carrier: Account) -> None:
        Suppression.objects.create(kind="phone", value=PHONE, channel="sms", reason="complained")
        Suppression.objects.create(kind="phone", value=PHONE, channel="whatsapp", reason="opted_out")
        self.say(carrier, "opted_in")
        assert len(self.suppressed()) == 2

    def test_a_repeated_call_does_not_undo_what_was_said_since(self, carrier: Account) -> None:
        self.say(carrier, "opted_in", event="e-1")
        self.say(carrier, "opted_out", event="e-2")
        self.say(carrier, "opted_in", event="e-1")
        assert len(self.suppressed()) == 1

    def test_a_word_about_a_delivery_is_about_its_address(self, carrier: Account) -> None:
        delivery = sent()
        call(carrier, [report(delivery, "opted_out")])
        assert self.suppressed() == [("phone", PHONE, "sms", "opted_out")]
        call(carrier, [report(delivery, "opted_in")])
        assert self.suppressed() == []

    def test_an_address_that_is_none_does_no_harm(self, carrier: Account) -> None:
        self.say(carrier, "opted_in", to="nobody")
        self.say(carrier, "opted_out", to="nobody \u0000")
