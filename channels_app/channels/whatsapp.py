"""The channel ``whatsapp``: approved templates, and free text within a day of the person's last message."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app.channels.addresses import MAX_URL, phone_number
from channels_app.contract import Channel, TextSource


class WhatsappContent(forms.Form):
    """Content of a message: a template of the provider, or a text."""

    template = TextSource(
        required=False,
        max_length=300,
        label=_("Provider's template"),
        help_text=_("Its name or ContentSid. Where they differ: meta_whatsapp=paid, twilio_whatsapp=HX1."),
    )
    language = TextSource(
        required=False,
        max_length=20,
        label=_("Language of the template"),
        help_text=_("Such as zh_CN; without it, the language of the variant."),
    )
    params = TextSource(
        required=False,
        json=True,
        rows=3,
        max_bytes=8000,
        label=_("Values for the template (JSON)"),
        help_text=_('In the order of the template: {"1": {{ name|tojson }}, "2": {{ order_no|tojson }}}.'),
    )
    text = TextSource(required=False, rows=5, max_chars=4096, too_long="cut", label=_("Text"))
    media_url = TextSource(
        required=False, link="web", max_length=MAX_URL, label=_("URL of an image or document")
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("text") and not cleaned.get("template"):
            self.add_error(
                "template", ValidationError(_("Name a template of the provider, or write a text."))
            )
        return cleaned


WHATSAPP = Channel(
    name="whatsapp",
    label=_("WhatsApp"),
    address_kind="phone",
    content=WhatsappContent,
    normalise=phone_number,
)
