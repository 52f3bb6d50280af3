"""The page of a version from which a test is sent, and the page on which one sees what became of it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from channels_app import registry
from channels_app.models import Account
from pushcenter.acting import ActingAdmin
from pushcenter.dressing import PrettyJSONField, dress
from pushcenter.faults import Rejected
from pushcenter.messaging import trials
from pushcenter.messaging.admin.page import page
from pushcenter.messaging.states import IN_FLIGHT
from pushcenter.messaging.trials import Asked
from pushcenter.recipients.models import Group
from templates_app.locales import normalise
from templates_app.models import TemplateVersion

#: Where the console remembers the addresses of the person at the keyboard.
REMEMBERED = "test_addresses"
SIMULATED, ROUTE = "simulated", "route"
MYSELF = "myself"


class TrialForm(forms.Form):
    """Who gets the test, what of it, with which parameters, and over what."""

    who = forms.ChoiceField(label=pgettext_lazy("addressee", "To"))
    recipient = forms.CharField(
        label=_("My external id"),
        required=False,
        max_length=200,
        help_text=_("If you are in the directory: the inbox needs it."),
    )
    channels = forms.MultipleChoiceField(label=_("Channels"), widget=UnfoldAdminCheckboxSelectMultipleWidget)
    locale = forms.ChoiceField(label=_("Language"), required=False)
    sample = forms.ChoiceField(label=_("Parameters"), required=False)
    params = PrettyJSONField(
        label=_("Other parameters (JSON)"), required=False, rows=4, help_text=_("They go before the sample.")
    )
    over = forms.ChoiceField(label=_("Over"))

    def __init__(self, *args: Any, version: TemplateVersion, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        variants = list(version.variants.all())
        known = registry.channels()
        self.version = version
        self.written = [name for name in known if any(each.channel == name for each in variants)]
        #: The kinds of address that the written channels need.
        self.kinds = {known[name].address_kind: known[name] for name in self.written}
        self.kinds.pop("recipient", None)
        groups = [(f"group:{each.code}", each.name) for each in Group.objects.filter(is_for_tests=True)]
        self._choose("who", [(MYSELF, _("myself")), *groups])
        self._choose("channels", [(name, known[name].label) for name in self.written])
        self.initial.setdefault("channels", self.written)
        locales = sorted({each.locale for each in variants if each.locale})
        self._choose("locale", [("", _("as the recipient has it")), *((each, each) for each in locales)])
        samples = [(str(place), each["name"]) for place, each in enumerate(version.samples)]
        self._choose("sample", [*samples, ("", _("none"))])
        self.initial.setdefault("sample", samples[0][0] if samples else "")
        self.initial.setdefault("params", {})
        accounts = Account.objects.filter(channel__in=self.written, is_active=True).order_by(
            "channel", "name"
        )
        over = [(ROUTE, _("the accounts that messages take")), (SIMULATED, _("nobody: only simulated"))]
        labels = ((str(each.pk), f"{known[each.channel].label}: {each.name}") for each in accounts)
        self._choose("over", [*over, *labels])
        for kind, channel in self.kinds.items():
            self.fields[f"to_{kind}"] = forms.CharField(
                label=_("My address: %(kind)s") % {"kind": channel.label}, required=False, max_length=2048
            )
        self.order_fields(["who", *(f"to_{kind}" for kind in self.kinds), "recipient"])
        dress(self.fields.values())

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for the type checker)
        field.choices = choices

    def clean_params(self) -> dict[str, Any]:
        params = self.cleaned_data["params"] or {}
        if not isinstance(params, dict):
            raise ValidationError(_("Write a JSON object, such as {}."))
        return params

    def addresses(self) -> dict[str, str]:
        """What was filled in, by kind."""
        values = {kind: self.cleaned_data.get(f"to_{kind}", "") for kind in self.kinds}
        return {kind: value for kind, value in values.items() if value}

    def asked(self) -> Asked:
        """Raises ``ValidationError`` where nobody would get it."""
        values = self.cleaned_data
        account = (
            None
            if values["over"] in {ROUTE, SIMULATED}
            else Account.objects.filter(pk=values["over"]).first()
        )
        channels = [account.channel] if account else values["channels"]
        place = values["sample"]
        sample: Mapping[str, Any] = self.version.samples[int(place)]["params"] if place else {}
        return Asked(
            to=self._to(channels),
            channels=channels,
            params={**sample, **values["params"]},
            is_simulated=values["over"] == SIMULATED,
            account=account,
        )

    def _to(self, channels: list[str]) -> list[dict[str, Any]]:
        code = self.cleaned_data["who"].partition("group:")[2]
        if code:
            people = trials.people_of(Group.objects.get(code=code))
        else:
            needed = {registry.channels()[name].address_kind for name in channels}
            found: dict[str, Any] = {
                kind: value for kind, value in self.addresses().items() if kind in needed
            }
            if self.cleaned_data["recipient"]:
                found["recipient"] = self.cleaned_data["recipient"]
            people = [found] if found else []
        if not people:
            raise ValidationError(
                _("Nobody is in this group.") if code else _("Fill in an address of your own.")
            )
        locale = normalise(self.cleaned_data["locale"])
        return [{**to, "locale": locale} if locale else to for to in people]


class TrialPages(ActingAdmin):
    """Adds the pages to those of a version."""

    def get_urls(self) -> list[URLPattern]:
        def view(request: HttpRequest, object_id: str, reference: str) -> HttpResponse:
            return self.trial_result(request, object_id, reference)

        name = "templates_app_templateversion_trial"
        return [
            path("<path:object_id>/tests/<str:reference>/", self.admin_site.admin_view(view), name=name),
            *super().get_urls(),
        ]

    @action(
        description=_("Send a test"),
        permissions=["templates_app.change_templateversion"],
        url_path="try",
        icon="science",
    )
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.get_object(request, object_id)
        if version is None:
            return HttpResponseRedirect(reverse("admin:templates_app_templateversion_changelist"))
        form = TrialForm(request.POST or None, version=version, initial=_initial(request))
        if request.method == "POST" and form.is_valid():
            reference = _send(request, version, form)
            if reference:
                return HttpResponseRedirect(_result_url(version, reference))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Test of %(version)s") % {"version": version},
            "opts": self.opts,
            "version": version,
            "form": form,
        }
        return TemplateResponse(request, "admin/messaging/trial/ask.html", context)

    def trial_result(self, request: HttpRequest, object_id: str, reference: str) -> HttpResponse:
        version = self.get_object(request, object_id)
        found = trials.messages(reference, by=_user(request)) if version else []
        if not found:
            raise Http404
        pages = [(message, page(message, request, is_own=message.recipient_id is None)) for message in found]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Test of %(version)s") % {"version": version},
            "opts": self.opts,
            "version": version,
            "pages": pages,
            "is_over": all(each.state not in IN_FLIGHT for _message, each in pages),
        }
        return TemplateResponse(request, "admin/messaging/trial/result.html", context)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (the console is for users alone)
    return request.user


def _initial(request: HttpRequest) -> dict[str, Any]:
    known = request.session.get(REMEMBERED, {})
    mine = {"to_email": _user(request).email} if _user(request).email else {}
    return {**mine, **{f"to_{kind}": value for kind, value in known.items()}}


def _send(request: HttpRequest, version: TemplateVersion, form: TrialForm) -> str:
    """The reference of the test; empty where it could not be sent, of which the form then tells."""
    try:
        reference = trials.send(version, form.asked(), by=_user(request))
    except ValidationError as error:
        form.add_error(None, error)
        return ""
    except Rejected as error:
        for fault in error.faults:
            form.add_error(None, f"{fault.pointer.lstrip('/')}: {fault.detail}")
        return ""
    request.session[REMEMBERED] = form.addresses()
    messages.success(request, _("The test is on its way."))
    return reference


def _result_url(version: TemplateVersion, reference: str) -> str:
    return reverse("admin:templates_app_templateversion_trial", args=[version.pk, reference])
