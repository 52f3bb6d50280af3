"""The channel ``inbox``."""

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels.addresses import MAX_URL, opaque
from channels_app.contract import Channel, TextSource


class InboxContent(forms.Form):
    """Content of an entry in the inbox of the enterprise's own site or app."""

    title = TextSource(max_length=200, label=_("Title"))
    body = TextSource(max_length=10_000, rows=5, label=_("Text"))
    link = TextSource(required=False, link="app", max_length=MAX_URL, label=_("Link"))


INBOX = Channel(
    name="inbox",
    label=_("Inbox"),
    address_kind="recipient",
    content=InboxContent,
    normalise=opaque,
    needs_recipient=True,
)
