"""The built-in channels: the stored form of addresses, and the content that each takes."""

from typing import Any

import pytest
from django import forms

from channels_app.channels import (
    EMAIL,
    FEISHU,
    INBOX,
    PUSH,
    SLACK,
    SMS,
    WEBHOOK,
    WECHAT,
    WECOM,
    WHATSAPP,
    group_of,
    of_adapter,
    subscription_of,
)
from channels_app.contract import Address, Channel

POINT, AUTH = "B" + "A" * 86, "A" * 22
SUBSCRIPTION = f'{{"endpoint":"https://push.example.com/1","keys":{{"p256dh":"{POINT}","auth":"{AUTH}"}}}}'

NORMALISED = [
    (EMAIL, "Ann.Li@Example.COM", "Ann.Li@example.com"),
    (EMAIL, "ann+tag@example.com", "ann+tag@example.com"),
    (EMAIL, "bob@b\u00fccher.example", "bob@b\u00fccher.example"),
    (EMAIL, "bob@xn--bcher-kva.example", "bob@b\u00fccher.example"),
    (EMAIL, "用户@例子.中国", "用户@例子.中国"),
    (SMS, "+86 138 0013 8000", "+8613800138000"),
    (SMS, "+1 (202) 555-0142", "+12025550142"),
    (SMS, "+8613800138000", "+8613800138000"),
    (PUSH, "fcm:APA91bH-x_y", "fcm:APA91bH-x_y"),
    (PUSH, "dXyz:APA91bH-x_y", "dXyz:APA91bH-x_y"),
    (PUSH, "apns:" + "A0" * 32, "apns:" + "a0" * 32),
    (PUSH, SUBSCRIPTION, "webpush:" + SUBSCRIPTION),
    (
        PUSH,
        SUBSCRIPTION.replace(":{", ": { ").replace("}}", '}, "expirationTime": null}'),
        "webpush:" + SUBSCRIPTION,
    ),
    (WHATSAPP, "+86 138 0013 8000", "+8613800138000"),
    (WECHAT, "oABC-d_1", "oABC-d_1"),
    (WECOM, "group:ops", "group:ops"),
    (SLACK, "C024BE91L", "C024BE91L"),
    (INBOX, "u-1001", "u-1001"),
    (WEBHOOK, "https://example.com/hook?a=1", "https://example.com/hook?a=1"),
    (WEBHOOK, "http://127.0.0.1:9000/", "http://127.0.0.1:9000/"),
]
REFUSED = [
    (EMAIL, ""),
    (EMAIL, "ann"),
    (EMAIL, "ann@"),
    (EMAIL, "ann@localhost"),
    (EMAIL, "ann@example.com, bob@example.com"),
    (EMAIL, "ann@example.com\nBcc: bob@example.com"),
    (EMAIL, "Ann <ann@example.com>"),
    (SMS, ""),
    (SMS, "13800138000"),
    (SMS, "+86 138"),
    (SMS, "+1 202 555 0142 ext. 5"),
    (SMS, "+999 123456789"),
    (PUSH, ""),
    (PUSH, "two words"),
    (PUSH, "line\nbreak"),
    (PUSH, "x" * 2049),
    (PUSH, "apns:xyz"),
    (PUSH, "apns:" + "a" * 63),
    (PUSH, "{}"),
    (PUSH, "{not json"),
    (PUSH, "webpush:[]"),
    (PUSH, SUBSCRIPTION.replace(AUTH, "AAAA")),
    (PUSH, SUBSCRIPTION.replace(POINT, "?")),
    (PUSH, SUBSCRIPTION.replace("https:", "file:")),
    (WECOM, "two words"),
    (WEBHOOK, ""),
    (WEBHOOK, "example.com"),
    (WEBHOOK, "ftp://example.com/"),
    (WEBHOOK, "https://"),
    (WEBHOOK, "https://user:pass@example.com/"),
    (WEBHOOK, "https://example.com:0/"),
    (WEBHOOK, "https://example.com:99999/"),
    (WEBHOOK, "https://[::1/"),
    (WEBHOOK, "https://example.com/a b"),
    (WEBHOOK, "https://example.com/\r\nHost: other"),
    (WEBHOOK, "https://example.com/" + "x" * 2048),
]
ACCEPTED_CONTENT: list[tuple[Channel, dict[str, Any]]] = [
    (EMAIL, {"subject": "Hi {{ name }}", "text": "Hello"}),
    (EMAIL, {"subject": "Hi", "html": "<p>Hello</p>", "preheader": "In short"}),
    (SMS, {"text": "Your code is {{ code }}"}),
    (SMS, {"text": "{{ code }}" + "x" * 1601}),
    (SMS, {"template_code": "SMS_1", "params": '{"code": "1"}'}),
    (WHATSAPP, {"template": "paid"}),
    (WECHAT, {"kind": "template", "template_id": "T", "data": "{}"}),
    (WECOM, {"format": "text", "text": "Hello"}),
    (SLACK, {"format": "text", "payload": "{}"}),
    (FEISHU, {"format": "card", "title": "Paid", "text": "Thank you", "severity": "success"}),
    (PUSH, {"title": "Paid", "body": "Thank you"}),
    (INBOX, {"title": "Paid", "body": "Thank you", "link": "https://example.com/1"}),
    (WEBHOOK, {"event": "order.paid", "data": '{"order": {{ order|tojson }}}'}),
]
INCOMPLETE_CONTENT: list[tuple[Channel, dict[str, Any], str]] = [
    (EMAIL, {"subject": "Hi"}, "__all__"),
    (EMAIL, {"text": "Hello"}, "subject"),
    (EMAIL, {"subject": "x" * 999, "text": "Hello"}, "subject"),
    (SMS, {}, "text"),
    (SMS, {"text": "x" * 1601}, "text"),
    (SMS, {"text": "字" * 671}, "text"),
    (WHATSAPP, {}, "template"),
    (WECHAT, {"kind": "template", "template_id": "T"}, "data"),
    (WECOM, {"format": "text"}, "text"),
    (WECOM, {"format": "text", "text": "字" * 683}, "text"),
    (FEISHU, {"format": "card", "text": "Thank you"}, "title"),
    (SLACK, {"format": "fax", "text": "Hello"}, "format"),
    (PUSH, {"title": "Paid"}, "body"),
    (INBOX, {"body": "Thank you"}, "title"),
    (WEBHOOK, {"data": "{}"}, "event"),
    (WEBHOOK, {"event": "order.paid"}, "data"),
]


@pytest.mark.parametrize(("channel", "written", "stored"), NORMALISED)
def test_an_address_has_one_stored_form(channel: Channel, written: str, stored: str) -> None:
    assert channel.normalise(written) == stored
    assert channel.normalise(stored) == stored


@pytest.mark.parametrize(("channel", "written"), REFUSED)
def test_what_is_no_address_is_refused_with_a_sentence(channel: Channel, written: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        channel.normalise(written)


@pytest.mark.parametrize(("channel", "content"), ACCEPTED_CONTENT)
def test_complete_content_is_taken(channel: Channel, content: dict[str, Any]) -> None:
    form: forms.Form = channel.content(content)
    assert form.is_valid(), form.errors


@pytest.mark.parametrize(("channel", "content", "field"), INCOMPLETE_CONTENT)
def test_incomplete_content_names_the_field(channel: Channel, content: dict[str, Any], field: str) -> None:
    assert list(channel.content(content).errors) == [field]


@pytest.mark.parametrize(
    ("text", "adapter", "value"),
    [
        ("SMS_1", "aliyun_sms", "SMS_1"),
        ("aliyun_sms=SMS_1, tencent_sms=2", "aliyun_sms", "SMS_1"),
        ("aliyun_sms=SMS_1, tencent_sms=2", "tencent_sms", "2"),
        ("aliyun_sms=SMS_1", "tencent_sms", ""),
        ("", "tencent_sms", ""),
    ],
)
def test_a_field_can_differ_by_provider(text: str, adapter: str, value: str) -> None:
    assert of_adapter(text, adapter) == value


@pytest.mark.parametrize(("value", "group"), [("group:ops", "ops"), ("zhangsan", ""), ("groups", "")])
def test_an_address_names_a_group_or_a_person(value: str, group: str) -> None:
    assert group_of(Address(kind="wecom", value=value)) == group


def test_a_subscription_is_read_from_its_stored_form() -> None:
    subscription = subscription_of(PUSH.normalise(SUBSCRIPTION))
    assert subscription is not None
    assert subscription["endpoint"] == "https://push.example.com/1"
    assert subscription_of("fcm:APA91bH") is None
