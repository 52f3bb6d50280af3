"""The channel ``webhook``."""

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels.addresses import http_url
from channels_app.contract import Channel, TextSource


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


WEBHOOK = Channel(
    name="webhook", label=_("Webhook"), address_kind="url", content=WebhookContent, normalise=http_url
)
