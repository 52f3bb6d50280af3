"""Group chats: a robot posts into one group, whose URL is the secret of its account.

So the account gives the group a name, and an address names it: ``group:ops``. All other addresses of such a
channel are people, and only adapters that reach people take them: nothing personal lands in a group because
another account failed.
"""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from channels_app.contract import Address

PREFIX = "group:"


def group_of(address: Address) -> str:
    """The name of the group that an address means; empty where it means a person."""
    return address.value.removeprefix(PREFIX) if address.value.startswith(PREFIX) else ""


class GroupField(forms.CharField):
    """In the ``Config`` of a robot: the name under which messages ask for its group."""

    default_validators = [RegexValidator(r"^[\w.-]+$", _("Use letters, digits, points and hyphens."))]

    def __init__(self) -> None:
        super().__init__(
            max_length=60,
            label=_("Group"),
            help_text=_("A name of your choice, such as ops. Messages reach this group as group:ops."),
        )
