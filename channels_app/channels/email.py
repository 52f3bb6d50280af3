"""The channel ``email``."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app.channels.addresses import email_address
from channels_app.contract import Channel, TextSource


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


EMAIL = Channel(
    name="email",
    label=_("Email"),
    address_kind="email",
    content=EmailContent,
    normalise=email_address,
    carries_way_out=True,
)
