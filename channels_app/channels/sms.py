"""The channel ``sms``: a text, or a template that the provider has approved, or both for different providers."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app.channels.addresses import phone_number
from channels_app.contract import Channel, TextSource

#: More than these parts reach phones late or not at all.
MAX_SEGMENTS = 10


class SmsContent(forms.Form):
    """Content of a text message. Providers in China send approved templates, most others any text."""

    text = TextSource(
        required=False,
        rows=4,
        max_chars=1600,
        max_segments=MAX_SEGMENTS,
        label=_("Text"),
        help_text=_("For providers that send any text."),
    )
    template_code = TextSource(
        required=False,
        max_length=300,
        label=_("Provider's template"),
        help_text=_(
            "Its code, for providers that send approved templates only. Where codes differ: "
            "aliyun_sms=SMS_1, tencent_sms=2."
        ),
    )
    params = TextSource(
        required=False,
        json=True,
        rows=3,
        max_bytes=4000,
        label=_("Values for the provider's template (JSON)"),
        help_text=_(
            'An object in the order of the template, such as {"code": {{ code|tojson }}}. Providers '
            "that number the values take them in this order."
        ),
    )
    signature = TextSource(
        required=False,
        max_length=60,
        label=_("Signature"),
        help_text=_("Where it is not the account's. Where it differs by provider: as for the template."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("text") and not cleaned.get("template_code"):
            self.add_error("text", ValidationError(_("Write a text, or name a template of the provider.")))
        return cleaned


SMS = Channel(name="sms", label=_("SMS"), address_kind="phone", content=SmsContent, normalise=phone_number)
