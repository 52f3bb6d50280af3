"""Group chats: a robot posts into one group, whose URL is the secret of its account.

So the account gives the group a name, and an address names it: ``group:ops``. All other addresses of such a
channel are people, and only adapters that reach people take them: nothing personal lands in a group because
another account failed.
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from channels_app.contract import Address, SecretField

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


class WebhookField(SecretField):
    """In the ``Config`` of a robot: the part of its webhook address that is the secret.

    People paste the whole address or that part. It is the value of ``parameter`` in the query, else the last step
    of the path.
    """

    def __init__(self, *, parameter: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parameter = parameter

    def clean(self, value: Any) -> str:
        cleaned = str(super().clean(value)).strip()
        parts = urlsplit(cleaned)
        if self.parameter:
            return parse_qs(parts.query).get(self.parameter, [cleaned])[0]
        return parts.path.rstrip("/").rpartition("/")[2]
