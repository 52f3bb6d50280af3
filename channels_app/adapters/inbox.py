"""The inbox of the enterprise's own site or app."""

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels import INBOX
from channels_app.contract import Adapter, Capabilities, Outgoing, Sent


class InboxAdapter(Adapter):
    """There is nobody to call: the delivery's own row is the entry, and its content is rendered again when
    it is read. So it is delivered in the moment in which dispatch commits that row, and a repeated attempt
    writes the same row again.
    """

    name = "inbox"
    label = _("Inbox")
    channel = INBOX
    capabilities = Capabilities(idempotent=True, concurrency=1000)

    class Config(forms.Form):
        """Nothing to set."""

    async def send(self, message: Outgoing) -> Sent:
        return Sent(provider_id=message.id, final=True)
