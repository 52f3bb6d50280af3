"""The channel ``push``: notifications on phones and in browsers.

One kind of address serves three kinds of provider; a prefix says which:

=================  =====================================================================
``fcm:TOKEN``      a registration token of Firebase; so is a token without any prefix
``fid:ID``         an installation id of Firebase
``apns:TOKEN``     a device token of Apple, in hexadecimal
``webpush:JSON``   a browser's subscription; its plain JSON is taken, too
=================  =====================================================================
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.channels.addresses import MAX_URL, http_url, opaque
from channels_app.contract import Channel, TextSource

WEB_PUSH = "webpush:"
APNS = "apns:"
#: Bytes of a subscription's keys: a point of P-256, and a secret (RFC 8291).
KEY_SIZES = {"p256dh": 65, "auth": 16}


def push_token(value: str) -> str:
    """A token with its prefix, a subscription in one canonical form; raises ``ValueError``."""
    if value.lstrip().startswith("{"):
        value = WEB_PUSH + value
    if value.startswith(WEB_PUSH):
        return opaque(WEB_PUSH + _subscription(value.removeprefix(WEB_PUSH)))
    if value.startswith(APNS):
        token = value.removeprefix(APNS).lower()
        if not re.fullmatch(r"(?:[0-9a-f]{2}){32,100}", token):
            raise ValueError(gettext("A device token of Apple is written in 64 or more hexadecimal digits."))
        return APNS + token
    return opaque(value)


def subscription_of(value: str) -> Mapping[str, Any] | None:
    """The subscription (``endpoint`` and ``keys``) in a stored address; None where it is another kind."""
    return json.loads(value.removeprefix(WEB_PUSH)) if value.startswith(WEB_PUSH) else None


def _subscription(text: str) -> str:
    try:
        value = json.loads(text)
        endpoint, keys = http_url(value["endpoint"]), {name: value["keys"][name] for name in KEY_SIZES}
        sizes = {name: len(_bytes(key)) for name, key in keys.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(
            gettext("Give the subscription as the browser does: JSON with endpoint and keys.")
        ) from None
    if sizes != KEY_SIZES:
        raise ValueError(gettext("The keys of the subscription do not have the right length."))
    return json.dumps({"endpoint": endpoint, "keys": keys}, separators=(",", ":"))


def _bytes(key: str) -> bytes:
    try:
        return base64.b64decode(key.encode() + b"=" * (-len(key) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("no base64url") from None


class PushContent(forms.Form):
    """Content of a notification. All providers take 4,096 bytes in all, which the limits here add up to."""

    title = TextSource(max_length=200, max_bytes=400, too_long="cut", label=_("Title"))
    body = TextSource(max_length=2000, max_bytes=1800, too_long="cut", rows=3, label=_("Text"))
    link = TextSource(required=False, link="app", max_length=MAX_URL, label=_("Link"))
    image = TextSource(required=False, link="web", max_length=MAX_URL, label=_("URL of an image"))
    # Django takes fields out of the class, so that this does not hide ``Form.data``.
    data = TextSource(  # type: ignore[assignment]
        required=False,
        json=True,
        rows=3,
        max_bytes=1000,
        label=_("Data for the app (JSON)"),
        help_text=_('An object of texts, such as {"order": {{ order_no|tojson }}}.'),
    )
    sound = TextSource(required=False, max_length=100, label=_("Sound"), help_text=_("Such as default."))
    badge = TextSource(
        required=False, max_length=100, label=_("Badge"), help_text=_("The number on the app's icon.")
    )
    ttl = TextSource(
        required=False,
        max_length=100,
        label=_("Time to live"),
        help_text=_("Seconds for which the provider keeps it for a phone that is off."),
    )
    collapse_key = TextSource(
        required=False,
        max_length=200,
        max_bytes=64,
        label=_("Collapse key"),
        help_text=_("A later notification with the same key replaces this one."),
    )
    urgent = forms.BooleanField(required=False, label=_("Wake the phone for it"))
    android_channel = TextSource(required=False, max_length=100, label=_("Android channel"))
    ios_category = TextSource(required=False, max_length=100, label=_("iOS category"))
    ios_thread = TextSource(required=False, max_length=100, label=_("iOS thread"))


PUSH = Channel(
    name="push", label=_("App push"), address_kind="push_token", content=PushContent, normalise=push_token
)
