"""The channels that are built in: the content that each takes, and the form of its addresses.

A channel of a third party comes with its adapter and looks the same.
"""

from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from email_validator import EmailNotValidError, validate_email

from channels_app.contract import Channel, TextSource

MAX_URL = 2048


def email_address(value: str) -> str:
    """The address with its domain in lower case; raises ``ValueError``. No DNS look-up is made."""
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


def phone_number(value: str) -> str:
    """The number in E.164 (``+8613800138000``); raises ``ValueError``.

    An extension is refused, because formatting to E.164 would drop it without a word.
    """
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        raise ValueError("Write the number in international form, such as +8613800138000.") from None
    if number.extension:
        raise ValueError("A number with an extension cannot be reached.")
    if not phonenumbers.is_valid_number(number):
        raise ValueError("No such number exists.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def http_url(value: str) -> str:
    """An absolute http or https URL; raises ``ValueError``. Where it leads is checked when it is called."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("This is not a URL.") from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise ValueError("Give an absolute URL that begins with https:// or http://.")
    if parts.username or parts.password:
        raise ValueError("A URL with a user name or password in it is not taken.")
    if len(value) > MAX_URL or any(ord(character) <= ord(" ") for character in value):
        raise ValueError("The URL is too long or has blanks in it.")
    return value


def opaque(value: str) -> str:
    """An id that only its provider understands: printable, without blanks."""
    if not value or len(value) > MAX_URL or not value.isprintable() or " " in value:
        raise ValueError("This is not an id that a provider could have given.")
    return value


class EmailContent(forms.Form):
    """Content of a mail. Without a text part, one is made from the HTML."""

    subject = TextSource(max_length=998, label=_("Subject"))
    preheader = TextSource(required=False, label=_("Preview text"), help_text=_("Shown beside the subject."))
    html = TextSource(required=False, html=True, rows=14, label=_("HTML"))
    text = TextSource(required=False, rows=8, label=_("Plain text"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("html") and not cleaned.get("text"):
            raise ValidationError(_("A mail needs an HTML part, a text part, or both."))
        return cleaned


class SmsContent(forms.Form):
    """Content of a text message."""

    text = TextSource(max_length=1600, rows=4, label=_("Text"))


class PushContent(forms.Form):
    """Content of a notification on a phone."""

    title = TextSource(max_length=200, label=_("Title"))
    body = TextSource(max_length=2000, rows=3, label=_("Text"))
    link = TextSource(required=False, max_length=MAX_URL, label=_("Link"))


class InboxContent(forms.Form):
    """Content of an entry in the inbox of the enterprise's own site or app."""

    title = TextSource(max_length=200, label=_("Title"))
    body = TextSource(max_length=10_000, rows=5, label=_("Text"))
    link = TextSource(required=False, max_length=MAX_URL, label=_("Link"))


class WebhookContent(forms.Form):
    """Content of a webhook: its event type, and the ``data`` of the payload as JSON."""

    event = TextSource(max_length=200, label=_("Event type"), help_text=_("Such as order.paid."))
    # Django takes fields out of the class, so that this does not hide ``Form.data``.
    data = TextSource(  # type: ignore[assignment]
        json=True,
        rows=8,
        label=_("Data (JSON)"),
        help_text=_('Write values as {{ name|tojson }}, for example {"order": {{ order_no|tojson }}}.'),
    )


EMAIL = Channel(
    name="email",
    label=_("Email"),
    address_kind="email",
    content=EmailContent,
    normalise=email_address,
)
SMS = Channel(name="sms", label=_("SMS"), address_kind="phone", content=SmsContent, normalise=phone_number)
PUSH = Channel(
    name="push",
    label=_("App push"),
    address_kind="push_token",
    content=PushContent,
    normalise=opaque,
)
INBOX = Channel(
    name="inbox",
    label=_("Inbox"),
    address_kind="recipient",
    content=InboxContent,
    normalise=opaque,
    needs_recipient=True,
)
WEBHOOK = Channel(
    name="webhook",
    label=_("Webhook"),
    address_kind="url",
    content=WebhookContent,
    normalise=http_url,
)

BUILT_IN = (INBOX, EMAIL, SMS, PUSH, WEBHOOK)
