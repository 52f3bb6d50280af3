"""The page on which an account is tried out: its credentials, and one message to an address of one's own."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from channels_app import registry, trial
from channels_app.contract import Address, Channel
from channels_app.models import Account
from pushcenter.acting import ActingAdmin
from pushcenter.dressing import dress

PREFIX = "content"


class AddressForm(forms.Form):
    """Where a test message goes."""

    address = forms.CharField(max_length=2048, label=_("Address"), widget=forms.TextInput)

    def __init__(self, *args: Any, channel: Channel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel = channel
        self.fields["address"].help_text = _("An address of your own: %(kind)s.") % {
            "kind": channel.address_kind
        }

    def clean_address(self) -> str:
        try:
            return self.channel.normalise(self.cleaned_data["address"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class TrialPages(ActingAdmin):
    """Adds the page to the account's own."""

    @action(
        description=_("Try it out"),
        permissions=["channels_app.change_account"],
        url_path="try",
        icon="science",
    )
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.get_object(request, object_id)
        channel = registry.channels().get(account.channel) if account else None
        if account is None or channel is None or account.adapter not in registry.adapters():
            messages.error(request, _("The adapter of this account is not installed."))
            return HttpResponseRedirect(reverse("admin:channels_app_account_changelist"))
        data = request.POST if request.POST.get("do") == "send" else None
        address = AddressForm(data, channel=channel)
        content = channel.content(data, prefix=PREFIX)
        for form in (address, content):
            dress(form.fields.values())
        context = {
            **self.admin_site.each_context(request),
            "title": _("Try out %(account)s") % {"account": account},
            "opts": self.opts,
            "account": account,
            "has_check": account.adapter_class.capabilities.check,
            "forms": (address, content),
            "result": _result(request, account, address, content),
        }
        return TemplateResponse(request, "admin/channels_app/account/try.html", context)


def _result(
    request: HttpRequest, account: Account, address: AddressForm, content: forms.Form
) -> trial.Trial | None:
    """What came of what was asked for; None where nothing was, or where a form has faults."""
    if request.method != "POST":
        return None
    if request.POST.get("do") == "check":
        return _safely(lambda: trial.check(account))
    if not (address.is_valid() & content.is_valid()):
        return None
    try:
        written = trial.content_from(content.fields, content.cleaned_data)
    except ValueError as error:
        content.add_error(None, str(error))
        return None
    to = Address(kind=address.channel.address_kind, value=address.cleaned_data["address"])
    return _safely(lambda: trial.send(account, to, written))


def _safely(work: Any) -> trial.Trial:
    try:
        return work()
    except Exception as error:  # settings or secrets that the adapter cannot use
        return trial.Trial(outcome="misconfigured", detail=f"{type(error).__name__}: {error}"[:300])
