"""The form on which somebody subscribes to alerts: a recipient, new or known, and the channels."""

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels_app import registry
from pushcenter.dressing import dress
from pushcenter.messaging import alert_words, operators
from pushcenter.messaging.admin.personal import sees_personal_data
from pushcenter.recipients.models import Address, Recipient, check_external_id

#: Addresses that can be given here; others stand on the recipient's own page.
PLACES = {"email": pgettext_lazy("address", "Email"), "phone": _("Telephone")}


class OperatorForm(forms.Form):
    """``known`` is who stands on the page already; else the user is offered himself."""

    person = forms.CharField(
        label=_("External id"),
        max_length=200,
        validators=[check_external_id],
        help_text=_("The enterprise's own id of this person. Who is not among the recipients yet is added."),
    )
    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=200, required=False)
    email = forms.CharField(label=pgettext_lazy("address", "Email"), max_length=320, required=False)
    phone = forms.CharField(
        label=_("Telephone"), max_length=40, required=False, help_text=_("Such as +86 138 0013 8000.")
    )
    channels = forms.MultipleChoiceField(
        label=_("Channels"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Those that the person has an address for are used. Without any, nothing is told."),
    )

    def __init__(self, request: HttpRequest, known: Recipient | None) -> None:
        self.known = known
        super().__init__(request.POST or None, initial=_initial(request, known))
        labels = {name: channel.label for name, channel in registry.channels().items()}
        self.fields["channels"].choices = [(each, labels.get(each, each)) for each in alert_words.SAYS]  # type: ignore[attr-defined]
        if known is not None:
            self.fields["person"].disabled = True
        if not sees_personal_data(request):
            for kind in PLACES:
                del self.fields[kind]
        dress(field for name, field in self.fields.items() if name != "channels")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for kind in PLACES:
            if cleaned.get(kind):
                try:
                    cleaned[kind] = registry.address_kinds()[kind].normalise(cleaned[kind])
                except ValueError as error:
                    self.add_error(kind, str(error))
        return cleaned

    @transaction.atomic
    def save(self) -> Recipient:
        given = self.cleaned_data
        person, _is_new = Recipient.objects.get_or_create(external_id=given["person"])
        if given["name"] and given["name"] != person.name:
            person.name = given["name"]
            person.save(update_fields=["name", "updated_at"])
        for kind in PLACES:
            if given.get(kind):
                # The newest of a kind is the one that is used.
                Address.objects.update_or_create(
                    recipient=person, kind=kind, value=given[kind], defaults={"created_at": timezone.now()}
                )
        operators.subscribe(person, given["channels"])
        return person


def _initial(request: HttpRequest, known: Recipient | None) -> dict[str, Any]:
    if known is None:
        user: Any = request.user
        return {
            "person": user.get_username(),
            "name": user.get_full_name(),
            "email": user.email,
            "channels": list(alert_words.SAYS),
        }
    places = dict(known.addresses.order_by("created_at", "id").values_list("kind", "value"))
    wanted = [each for each in alert_words.SAYS if each not in operators.muted(known)]
    addresses = {kind: places.get(kind, "") for kind in PLACES} if sees_personal_data(request) else {}
    return {"person": known.external_id, "name": known.name, "channels": wanted, **addresses}
