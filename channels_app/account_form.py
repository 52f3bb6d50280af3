"""The console's form of an account: the account's own fields, and those that its adapter declares.

The adapter's ``Config`` is validated as the form that it is, with its own cross checks; the fields here only
show it. A secret is never put into a page: left blank it stays as it is stored.
"""

import copy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from channels_app import secrets
from channels_app.contract import Adapter, Capabilities, SecretField
from channels_app.models import Account
from channels_app.registry import UnknownAdapter
from pushcenter.dressing import dress
from pushcenter.networks import check_network

PREFIX = "config"


def shown_as(name: str) -> str:
    """The name of a ``Config`` field within the account's form."""
    return f"{PREFIX}-{name}"


def forgets(name: str) -> str:
    """The name of the checkbox that removes an optional secret."""
    return f"{PREFIX}-forget-{name}"


class AccountForm(forms.ModelForm):
    #: What a new account is for; a stored one whose adapter is not installed has only its own fields.
    channel = ""
    adapter_class: type[Adapter] | None = None

    class Meta:
        model = Account
        fields = (
            "name", "priority", "weight", "is_active", "callback_networks", "rate_per_second", "max_in_flight",
            "address_rate_per_minute", "daily_quota", "price", "currency",
        )  # fmt: skip
        widgets = {"callback_networks": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept, self.unreadable = kept_secrets(self.instance)
        self.forgotten: set[str] = set()
        if self.adapter_class is None:
            return
        self._say_what_empty_means(self.adapter_class.capabilities)
        if self.instance._state.adding:  # noqa: SLF001  (ids are made before rows)
            self.instance.channel, self.instance.adapter = self.channel, self.adapter_class.name
        for name in self.adapter_class.Config.base_fields:
            field = self.fields.get(shown_as(name))
            if field is None:
                continue
            if isinstance(field, SecretField):
                self._keep_when_blank(name, field)
            elif not self.instance._state.adding:  # noqa: SLF001  (ids are made before rows)
                field.initial = self.instance.config.get(name, field.initial)

    def _say_what_empty_means(self, can: Capabilities) -> None:
        for name, documented in (
            ("rate_per_second", can.rate),
            ("address_rate_per_minute", can.address_rate),
        ):
            field = self.fields.get(name)
            if field is not None and documented:
                field.widget.attrs["placeholder"] = f"{documented:g}"
                field.help_text = _("%(help)s Empty is what the provider documents: %(number)s.") % {
                    "help": field.help_text,
                    "number": f"{documented:g}",
                }

    def _keep_when_blank(self, name: str, field: forms.Field) -> None:
        if name in self.kept:
            field.required = False
            field.help_text = _("A value is stored and not shown. Leave this blank to keep it.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.adapter_class is None:
            return cleaned
        config = self.adapter_class.Config(self._data_with_kept_secrets(cleaned), prefix=PREFIX)
        for name, errors in config.errors.items():
            # What a field found wrong by itself has been said already.
            if shown_as(name) not in self.errors:
                self.add_error(shown_as(name) if name in config.fields else None, list(errors))
        cleaned["config"] = {} if config.errors else config.cleaned_data
        return cleaned

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"]
        if self.cleaned_data.get("price") is not None and not currency:
            raise ValidationError(_("Say in which currency the price is."))
        return currency

    def clean_callback_networks(self) -> list[str]:
        # Asked here too, because the form would replace the sentence by one that does not name the culprit.
        networks: list[str] = self.cleaned_data["callback_networks"]
        for network in networks:
            check_network(network)
        return networks

    def _data_with_kept_secrets(self, cleaned: dict[str, Any]) -> Any:
        data: Any = self.data
        data = data.copy()
        self.forgotten = {name for name in self.kept if cleaned.get(forgets(name))}
        for name, value in self.kept.items():
            if not data.get(shown_as(name)) and name not in self.forgotten:
                data[shown_as(name)] = value
        return data

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors and "config" in self.cleaned_data:
            self._store()

    def _store(self) -> None:
        if self.unreadable:
            self.instance.secrets = ""
        elif self.forgotten:
            rest = {name: value for name, value in self.kept.items() if name not in self.forgotten}
            self.instance.secrets = secrets.encrypt(rest) if rest else ""
        self.instance.set_config(self.cleaned_data["config"])


def kept_secrets(account: Account) -> tuple[dict[str, Any], bool]:
    """The stored secrets, and whether there are some that cannot be read: then they have to be given anew."""
    if account._state.adding:  # noqa: SLF001  (ids are made before rows)
        return {}, False
    try:
        return account.secret_values(), False
    except secrets.UnreadableSecret:
        return {}, True


def form_for(adapter: type[Adapter], *, channel: str) -> type[AccountForm]:
    """The form of an account of this adapter."""
    fields: dict[str, Any] = {"adapter_class": adapter, "channel": channel, "__module__": __name__}
    for name, field in adapter.Config.base_fields.items():
        shown = copy.deepcopy(field)
        # Adapters write plain text, and the console takes help for HTML.
        shown.help_text = escape(shown.help_text)
        fields[shown_as(name)] = shown
        if isinstance(field, SecretField) and not field.required:
            label = _("Remove the stored value: %(field)s") % {"field": field.label}
            fields[forgets(name)] = forms.BooleanField(required=False, label=label)
    dress(field for field in fields.values() if isinstance(field, forms.Field))
    return type("AccountFormOfAdapter", (AccountForm,), fields)


def adapter_of(account: Account) -> type[Adapter] | None:
    """The account's adapter, or None where it is not installed any more."""
    try:
        return account.adapter_class
    except UnknownAdapter:
        return None
