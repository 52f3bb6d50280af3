"""Providers in China within the flow: tokens from the database, polls, events and reports that find their delivery."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from django.test import Client
from django_q.models import OrmQ

from channels_app.adapters import wechat_official
from channels_app.contract import Callback
from channels_app.models import Account
from channels_app.weixin import Envelope, signature, to_xml
from pushcenter.messaging import dispatch, loop, polls
from pushcenter.messaging.models import Attempt, Delivery, Interaction, Receipt
from pushcenter.recipients.models import Suppression
from tests import factories
from tests.channels import test_dingtalk_notice, test_tencent_sms
from tests.channels.provider import Answer, Provider, Request, Script

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("patient")]
#: Tokens are kept over a connection of their own, which sees what is committed.
with_tokens = pytest.mark.django_db(transaction=True)

CHAT = {"format": "text", "text": "Order {{ order_no }} is paid."}
WECHAT = {"kind": "template", "template_id": "T-1", "data": '{"thing1": {{ order_no|tojson }}}'}
SMS = {"template_code": "1234", "params": '{"order_no": {{ order_no|tojson }}}'}
OK = Answer(body={"errcode": 0, "errmsg": "ok", "msgid": 200228332})


@contextmanager
def provider(script: Script) -> Iterator[tuple[str, list[Request]]]:
    """A provider on the worker's own loop; its URL, and what it was asked."""
    played = Provider({"token": test_dingtalk_notice.TOKEN, **script})
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", played.handle)
    server = TestServer(app)
    loop.submit(server.start_server()).result(5)
    try:
        yield str(server.make_url("")).rstrip("/"), played.requests
    finally:
        loop.submit(server.close()).result(5)


def account(channel: str, adapter: str, config: Mapping[str, Any], base_url: str) -> Account:
    return factories.account(channel, adapter, config={**config, "base_url": base_url})


def send(channel: str, kind: str, value: str, content: Mapping[str, str], **script: Any) -> Delivery:
    """One message that has been handed over."""
    factories.template(f"to-{channel}", channels=[channel], content={channel: content})
    factories.message(f"to-{channel}", to={kind: value})
    dispatch.run("normal")
    return Delivery.objects.get()


def planned() -> list[str]:
    return [row.task["args"][1] for row in OrmQ.objects.all() if row.task["func"] == polls.ASK]


@with_tokens
def test_dingtalk_is_asked_until_it_knows_with_a_token_that_is_fetched_once() -> None:
    nothing, read = (
        Answer(body={"errcode": 0}),
        test_dingtalk_notice.result(read_user_id_list=["manager4220"]),
    )
    script: Script = {"getsendresult": [nothing, read], "asyncsend": test_dingtalk_notice.OK}
    with provider(script) as (base_url, requests):
        dingtalk = account("dingtalk", "dingtalk_notice", test_dingtalk_notice.CONFIG, base_url)
        delivery = send("dingtalk", "dingtalk", "manager4220", CHAT)
        assert (delivery.state, delivery.provider_id) == ("sent", "256271667526")
        assert planned() == ["256271667526"]

        polls.ask(str(dingtalk.pk), delivery.provider_id, 0)
        delivery.refresh_from_db()
        assert delivery.state == "sent"
        assert planned() == ["256271667526"] * 2

        polls.ask(str(dingtalk.pk), delivery.provider_id, 1)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert [each.kind for each in Interaction.objects.all()] == ["opened"]
    assert len(planned()) == 2
    assert [each.path for each in requests].count("/gettoken") == 1


@with_tokens
def test_a_member_whom_wecom_does_not_know_is_not_written_to_again() -> None:
    body = {"errcode": 0, "errmsg": "ok", "invaliduser": "zhangsan", "msgid": ""}
    with provider({"": Answer(body=body)}) as (base_url, _requests):
        account("wecom", "wecom_app", {"corpid": "ww1", "secret": "s", "agentid": 1}, base_url)
        delivery = send("wecom", "wecom", "ZhangSan", CHAT)
    assert delivery.state == "failed"
    assert [each.code for each in Attempt.objects.all()] == ["invaliduser"]
    assert [(each.value, each.reason) for each in Suppression.objects.all()] == [("ZhangSan", "unreachable")]


def test_what_is_for_a_group_goes_to_its_robot_and_never_to_a_person() -> None:
    with provider({"": OK}) as (base_url, requests):
        account("wecom", "wecom_app", {"corpid": "ww1", "secret": "s", "agentid": 1}, base_url)
        account("wecom", "wecom_robot", {"group": "ops", "key": "k-1"}, base_url)
        delivery = send("wecom", "wecom", "group:ops", CHAT)
    assert delivery.state == "delivered"
    assert [each.path for each in requests] == ["/cgi-bin/webhook/send"]


# WeChat's events, through the address that its console is given.

FOLLOWER = "oABC-d_1"
WECHAT_CONFIG = {"appid": "wx1", "secret": "s-1", "token": "t-1", "aes_key": "a" * 43}


@pytest.fixture
def wechat() -> Account:
    """An account, and one message that it has taken."""
    made = factories.account("wechat", "wechat_official", config=WECHAT_CONFIG)
    factories.template("to-wechat", channels=["wechat"], content={"wechat": WECHAT})
    factories.message("to-wechat", to={"wechat": FOLLOWER})
    Delivery.objects.update(state="sent", account=made, provider_id="200228332")
    return made


def call(made: Account, callback: Callback) -> Any:
    path = f"/callbacks/{made.pk}/{made.callback_token}"
    return Client(raise_request_exception=False).generic(
        callback.method, path, callback.body, content_type="text/xml", query_params=dict(callback.query)
    )


def event(fields: Mapping[str, str]) -> Callback:
    envelope = Envelope(token="t-1", aes_key="a" * 43, receiver="wx1")
    query, encrypted = envelope.seal(to_xml(fields), timestamp="1764057600", nonce="n-1")
    query["signature"] = signature("t-1", "1764057600", "n-1")
    return Callback(headers={}, query=query, body=to_xml({"Encrypt": encrypted}).encode(), url="")


def test_the_end_of_a_template_message_is_told_once_however_often_wechat_repeats_it(wechat: Account) -> None:
    for _ in range(3):
        answer = call(wechat, wechat_official.sample_event(WECHAT_CONFIG, "200228332"))
        assert (answer.status_code, answer.content) == (200, b"success")
    assert Delivery.objects.get().state == "delivered"
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize("kind", ["unsubscribe", "subscribe"])
def test_who_leaves_has_opted_out_until_he_or_she_comes_back(wechat: Account, kind: str) -> None:
    fields = {"FromUserName": FOLLOWER, "CreateTime": "1764057600", "MsgType": "event"}
    call(wechat, event({**fields, "Event": "unsubscribe"}))
    assert [(each.value, each.reason) for each in Suppression.objects.all()] == [(FOLLOWER, "opted_out")]
    call(wechat, event({**fields, "Event": kind, "CreateTime": "4102444800"}))
    assert Suppression.objects.exists() is (kind == "unsubscribe")


def test_a_forged_event_changes_nothing(wechat: Account) -> None:
    genuine = wechat_official.sample_event(WECHAT_CONFIG, "200228332")
    forged = Callback(headers={}, query={**genuine.query, "nonce": "x"}, body=genuine.body, url="")
    assert call(wechat, forged).status_code == 401
    assert Delivery.objects.get().state == "sent"


def test_the_console_of_wechat_can_try_the_address_out(wechat: Account) -> None:
    query = {"timestamp": "1", "nonce": "n", "echostr": "4711", "signature": signature("t-1", "1", "n")}
    answer = call(wechat, Callback(headers={}, query=query, body=b"", url="", method="GET"))
    assert (answer.status_code, answer.content) == (200, b"4711")


@pytest.mark.parametrize("body", [b"", b"garbage", b"[1]", b"<xml/>", b"\xff\xfe", b"<x>" * 5000])
def test_garbage_is_never_a_fault_of_ours(wechat: Account, body: bytes) -> None:
    for query in ({}, {"signature": signature("t-1", "1", "n"), "timestamp": "1", "nonce": "n"}):
        assert call(wechat, Callback(headers={}, query=query, body=body, url="")).status_code == 401


def test_a_report_of_tencent_finds_its_delivery_by_number_and_stop_closes_the_number() -> None:
    sent = test_tencent_sms.statuses(("+8613800138000", "Ok", "5000:104571"))
    with provider({"": Answer(body=sent)}) as (base_url, _requests):
        made = account("sms", "tencent_sms", test_tencent_sms.CONFIG, base_url)
        delivery = send("sms", "phone", "+8613800138000", SMS)
    report = json.dumps([test_tencent_sms.REPORT]).encode()
    answer = call(made, Callback(headers={}, query={}, body=report, url=""))
    assert json.loads(answer.content) == {"result": 0, "errmsg": "OK"}
    delivery.refresh_from_db()
    assert delivery.state == "delivered"

    written = {"mobile": "13800138000", "nationcode": "86", "text": "TD", "time": 1764057600}
    call(made, Callback(headers={}, query={}, body=json.dumps(written).encode(), url=""))
    assert [each.value for each in Suppression.objects.all()] == ["+8613800138000"]
