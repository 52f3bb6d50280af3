"""The channel ``wechat``: template and subscription messages of an Official Account."""

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels.addresses import MAX_URL, opaque
from channels_app.contract import Channel, TextSource

KINDS = [("template", _("Template message")), ("subscription", _("Subscription message"))]


class WechatContent(forms.Form):
    """Content of a message by one of the account's approved templates."""

    kind = forms.ChoiceField(choices=KINDS, initial="template", label=_("Kind"))
    template_id = TextSource(
        max_length=200, label=_("Template id"), help_text=_("From the console of WeChat.")
    )
    # Django takes fields out of the class, so that this does not hide ``Form.data``.
    data = TextSource(  # type: ignore[assignment]
        json=True,
        rows=6,
        max_bytes=8000,
        label=_("Keywords (JSON)"),
        help_text=_('By their names in the template, such as {"thing1": {{ product|tojson }}}.'),
    )
    url = TextSource(required=False, link="web", max_length=MAX_URL, label=_("Link"))
    miniprogram_appid = TextSource(required=False, max_length=60, label=_("Mini program (appid)"))
    miniprogram_path = TextSource(required=False, max_length=500, label=_("Page in the mini program"))


WECHAT = Channel(
    name="wechat", label=_("WeChat"), address_kind="wechat", content=WechatContent, normalise=opaque
)
