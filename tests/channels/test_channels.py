"""The built-in channels: the stored form of addresses, and the content that each takes."""

from typing import Any

import pytest
from django import forms

from channels_app.channels import EMAIL, INBOX, PUSH, SMS, WEBHOOK
from channels_app.contract import Channel

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
