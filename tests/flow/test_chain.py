"""One message through the whole chain: the API, the queue, real providers on loopback, and its trace."""

import base64
import json

import pytest
from django.test import Client
from standardwebhooks import Webhook

from channels_app.traffic import traffic
from pushcenter.messaging import dispatch, retry
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State
from tests import factories
from tests.flow.world import mail_sink, receiver

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()

pytestmark = pytest.mark.django_db


def test_a_message_reaches_inbox_mail_and_webhook_and_its_trace_tells_so(client: Client) -> None:
    _, secret = factories.key()
    headers = {"Authorization": f"Bearer {secret}"}
    factories.template(channels=["inbox", "email", "webhook"])
    with mail_sink() as sink, receiver() as hook:
        factories.account("inbox", "inbox")
        smtp = {
            "host": "127.0.0.1",
            "port": sink.port,
            "from_address": "shop@example.com",
            "security": "none",
        }
        factories.account("email", "smtp", config=smtp)
        factories.account("webhook", "http", config={"secret": SECRET})
        factories.recipient(addresses={"email": "li@example.com", "url": hook.url})
        body = {
            "template": "order-paid",
            "to": {"recipient": "u-1001"},
            "params": {"order_no": "SO-7", "amount": "¥ 9"},
        }
        answer = client.post("/api/v1/messages", body, content_type="application/json", headers=headers)
        assert answer.status_code == 202
        dispatch.run("normal")

    read = client.get(answer["Location"], headers=headers).json()
    assert read["status"] == "delivered"
    states = {each["channel"]: each["state"] for each in read["deliveries"]}
    assert states == {"inbox": "delivered", "email": "sent", "webhook": "delivered"}

    (mail,) = sink.mails
    assert mail["Subject"] == "Order SO-7"
    assert mail["To"] == "li@example.com"
    assert "We received ¥ 9." in mail.get_content()

    ((received, content),) = hook.calls
    Webhook(SECRET).verify(content, received)
    assert json.loads(content)["data"] == {"order_no": "SO-7"}

    entries = client.get(f"{answer['Location']}/trace", headers=headers).json()["entries"]
    kinds = [(entry["kind"], entry["channel"], entry["outcome"]) for entry in entries]
    assert kinds[:2] == [("gate", "", "ok"), ("accepted", "", "ok")]
    assert {("routing", channel, "ok") for channel in states} <= set(kinds)
    assert {("attempt", channel, "ok") for channel in states} <= set(kinds)

    inbox = client.get("/api/v1/recipients/u-1001/inbox", headers=headers).json()
    assert [entry["title"] for entry in inbox["entries"]] == ["Paid: SO-7"]


def test_a_provider_that_is_down_is_tried_again_and_then_has_the_message_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retry, "SHORTEST_WAIT", 60)
    factories.template(channels=["webhook"], priority="critical")
    with receiver(lambda number: 503 if number == 1 else 204) as hook:
        factories.account("webhook", "http", config={"secret": SECRET})
        factories.recipient(addresses={"url": hook.url})
        message = factories.message()
        dispatch.run("critical")
        delivery = message.deliveries.get()
        assert (delivery.state, delivery.attempts) == (State.PENDING, 1)
        assert delivery.due_at > message.accepted_at
        factories.make_due(delivery)
        dispatch.run("critical")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (State.DELIVERED, 2)
    ids = {headers["webhook-id"] for headers, _ in hook.calls}
    assert ids == {str(delivery.pk)}
    assert list(delivery.log.order_by("number").values_list("outcome", flat=True)) == ["temporary", "sent"]


def test_a_scheduled_message_waits_for_its_time() -> None:
    factories.template(channels=["inbox"])
    factories.account("inbox", "inbox")
    factories.recipient()
    message = factories.message(send_at=factories.in_an_hour())
    dispatch.run("normal")
    assert message.deliveries.get().state == State.PENDING


def test_a_test_key_runs_the_chain_without_an_account() -> None:
    factories.template(channels=["email"])
    caller = factories.caller(is_test=True)
    message = factories.message(to={"email": "refused@simulator.example"}, caller=caller)
    dispatch.run("normal")
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.account) == (State.FAILED, None)


def test_a_message_without_an_account_that_works_waits_for_one() -> None:
    factories.template(channels=["email"])
    account = factories.account("email")
    factories.recipient()
    type(account).objects.pause(reason="credentials were refused")
    message = factories.message()
    dispatch.run("normal")
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.code, delivery.attempts) == (State.PENDING, "no_account", 0)
    type(account).objects.resume()
    factories.make_due(delivery)
    dispatch.run("normal")
    delivery.refresh_from_db()
    assert delivery.state == State.DELIVERED


def test_content_that_cannot_be_rendered_fails_with_its_reason() -> None:
    factories.template(
        channels=["webhook"], content={"webhook": {"event": "x", "data": "{{ order_no }"}}, published=True
    )
    factories.account("webhook")
    factories.recipient(addresses={"url": "https://example.com/hook"})
    message = factories.message()
    dispatch.run("normal")
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.code) == (State.FAILED, "render_error")
    assert "data" in delivery.reason


def test_two_hundred_messages_all_end_and_the_figures_agree() -> None:
    factories.template(channels=["inbox", "email"])
    factories.accounts("inbox", "email")
    factories.recipient()
    for _ in range(200):
        factories.message()
    assert dispatch.run("normal") == 400
    assert Delivery.objects.filter(state=State.DELIVERED).count() == 400
    assert Message.objects.count() == 200
    assert factories.figures() == {
        ("inbox", "accepted"): 200,
        ("inbox", "sent"): 200,
        ("inbox", "delivered"): 200,
        ("email", "accepted"): 200,
        ("email", "sent"): 200,
        ("email", "delivered"): 200,
    }


def test_a_provider_that_asks_for_pauses_uses_up_no_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SHORTEST_WAIT", 60)
    factories.template(channels=["email"], priority="critical")
    factories.account("email")
    message = factories.message(to={"email": "throttled@simulator.example"})
    dispatch.run("critical")
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.attempts, delivery.throttled) == (State.PENDING, 1, 1)
    # As after many more of them: the next fault is still the first of the schedule.
    many = {"attempts": 50, "throttled": 50, "address": "down@simulator.example"}
    Delivery.objects.filter(pk=delivery.pk).update(**many)
    factories.make_due(delivery)
    traffic.forget()  # the pause is over
    dispatch.run("critical")
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.throttled, delivery.log.count()) == (51, 50, 2)
    assert delivery.state == State.PENDING
