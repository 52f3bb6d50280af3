"""The roles that a new installation begins with: groups of Django, each with the rights of one kind of work.

Every migrate run gives a role what the table says, and takes nothing away: rights that an administrator added
stay. Who wants a role with fewer rights makes one of another name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.utils.translation import gettext_lazy as _

VIEW = ("view",)
EDIT = ("view", "add", "change", "delete")

MESSAGES: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    [
        "messaging.message",
        "messaging.delivery",
        "messaging.attempt",
        "messaging.event",
        "messaging.batch",
        "messaging.stop",
        "messaging.receipt",
        "messaging.receiptcall",
        "messaging.interaction",
        "messaging.alert",
    ],
    VIEW,
)

ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Template editors": {
        "templates_app.template": ("view", "add", "change"),
        "templates_app.templateversion": EDIT,
        "templates_app.variant": EDIT,
        "recipients.category": VIEW,
    },
    "Approvers": {
        "templates_app.template": VIEW,
        "templates_app.templateversion": ("view", "add", "publish"),
        "templates_app.variant": VIEW,
        "recipients.category": VIEW,
    },
    "Operators": {
        **MESSAGES,
        # They find out why a message did not arrive, and for that need to see where it went.
        "messaging": ("view_personal_data", "operate_delivery"),
        "channels_app.account": ("view", "add", "change"),
        "access.system": ("view", "add", "change"),
        "access.apikey": ("view", "add", "change"),
        "access.refusal": VIEW,
        "recipients.recipient": EDIT,
        "recipients.address": EDIT,
        "recipients.preference": EDIT,
        "recipients.group": EDIT,
        "recipients.category": ("view", "add", "change"),
        "recipients.suppression": ("view", "add", "delete"),
        "templates_app.template": VIEW,
        "templates_app.templateversion": VIEW,
        "templates_app.variant": VIEW,
        "analytics_app.hourlystat": VIEW,
    },
    "Analysts": {
        "analytics_app.hourlystat": VIEW,
        "access.system": VIEW,
        "templates_app.template": VIEW,
    },
}

#: As the console names them.
NAMES: Mapping[str, Any] = {
    "Template editors": _("Template editors"),
    "Approvers": _("Approvers"),
    "Operators": _("Operators"),
    "Analysts": _("Analysts"),
}


def shown(name: str) -> str:
    """A role's name in the reader's language; those that administrators have made are called as they called them."""
    return str(NAMES.get(name, name))


def codenames(role: str, app_label: str) -> Iterator[str]:
    """The permissions of a role within one app; a key without a model names them in full."""
    for key, verbs in ROLES[role].items():
        app, _dot, model = key.partition(".")
        if app == app_label:
            yield from (f"{verb}_{model}" if model else verb for verb in verbs)


def grant(sender: AppConfig, *, using: str, apps: Any = installed, **_kwargs: Any) -> None:
    """Receiver of ``post_migrate``: give each role what it has in the app whose permissions were just made."""
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        return
    for role in ROLES:
        group, _created = group_model.objects.using(using).get_or_create(name=role)
        permissions = permission_model.objects.using(using).filter(
            content_type__app_label=sender.label, codename__in=list(codenames(role, sender.label))
        )
        group.permissions.add(*permissions)
