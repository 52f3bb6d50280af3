"""The look of the console (django-unfold), and its sidebar in the order of the flow."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

Item = dict[str, Any]


def may(permission: str) -> Callable[[HttpRequest], bool]:
    """A condition of the sidebar: whether the user has this permission."""
    return lambda request: request.user.has_perm(permission)


def table(title: Any, icon: str, app: str, model: str) -> Item:
    """A link to a model's list, for those who may view it."""
    link = reverse_lazy(f"admin:{app}_{model}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": may(f"{app}.view_{model}")}


OVERVIEW = {
    "items": [{"title": _("Overview"), "icon": "monitoring", "link": reverse_lazy("admin:index")}],
}
ACCESS = {
    "title": _("Access"),
    "items": [
        table(_("Systems"), "hub", "access", "system"),
        table(_("API keys"), "key", "access", "apikey"),
        table(_("Refused requests"), "front_hand", "access", "refusal"),
    ],
}
TEMPLATES = {
    "title": _("Templates"),
    "items": [
        table(_("Templates"), "draft", "templates_app", "template"),
        table(_("Versions"), "history_edu", "templates_app", "templateversion"),
        {
            "title": _("Layouts and snippets"),
            "icon": "dashboard_customize",
            "link": reverse_lazy("admin:templates_app_part_changelist"),
            "permission": may("templates_app.view_template"),
        },
    ],
}
RECIPIENTS = {
    "title": _("Recipients"),
    "items": [
        table(_("Recipients"), "person", "recipients", "recipient"),
        table(_("Groups"), "groups", "recipients", "group"),
        table(_("Categories"), "category", "recipients", "category"),
        table(_("Suppressed addresses"), "block", "recipients", "suppression"),
    ],
}
CHANNELS = {
    "title": _("Channels"),
    "items": [table(_("Accounts"), "cell_tower", "channels_app", "account")],
}
MESSAGES = {
    "title": _("Messages"),
    "items": [
        table(_("Messages"), "mail", "messaging", "message"),
        table(_("Deliveries"), "local_shipping", "messaging", "delivery"),
        table(_("Attempts"), "replay", "messaging", "attempt"),
        table(_("Events"), "list_alt", "messaging", "event"),
        table(_("Batches"), "stacks", "messaging", "batch"),
        table(_("Receipts"), "receipt_long", "messaging", "receipt"),
        table(_("Receipt calls"), "call_received", "messaging", "receiptcall"),
        table(_("Interactions"), "touch_app", "messaging", "interaction"),
    ],
}
REPORTS = {
    "title": _("Reports"),
    "items": [
        {
            "title": _("Report"),
            "icon": "bar_chart",
            "link": reverse_lazy("admin:reports"),
            "permission": may("analytics_app.view_hourlystat"),
        },
        table(_("Hourly figures"), "schedule", "analytics_app", "hourlystat"),
    ],
}
PEOPLE = {
    "title": _("People"),
    "items": [
        table(_("Users"), "badge", "auth", "user"),
        table(_("Roles"), "shield_person", "auth", "group"),
    ],
}
OPERATIONS = {
    "title": _("Operations"),
    "items": [
        table(_("What is stopped"), "pause_circle", "messaging", "stop"),
        table(_("Alerts"), "notifications_active", "messaging", "alert"),
        {
            "title": _("Dead letters"),
            "icon": "mark_email_unread",
            "link": reverse_lazy("admin:dead_letters"),
            "permission": may("messaging.view_delivery"),
        },
        {
            "title": _("Ledger"),
            "icon": "balance",
            "link": reverse_lazy("admin:ledger"),
            "permission": may("messaging.view_delivery"),
        },
    ],
}
FLOW = [OVERVIEW, ACCESS, TEMPLATES, RECIPIENTS, CHANNELS, MESSAGES, OPERATIONS, REPORTS, PEOPLE]

UNFOLD = {
    "SITE_TITLE": "Push Center",
    "SITE_HEADER": "Push Center",
    "SITE_SUBHEADER": _("Message gateway"),
    "SITE_SYMBOL": "send",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"action": lambda request: reverse("admin:language")},
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")},
    ],
    "STYLES": [lambda request: static("css/console.css"), lambda request: static("css/looks.css")],
    "SCRIPTS": [lambda request: static("js/looks.js"), lambda request: static("js/life.js")],
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.6)",
            "100": "oklch(93.2% .032 255.6)",
            "200": "oklch(88.2% .059 254.1)",
            "300": "oklch(80.9% .105 251.8)",
            "400": "oklch(70.7% .165 254.6)",
            "500": "oklch(62.3% .19 259.8)",
            "600": "oklch(54.6% .215 262.9)",
            "700": "oklch(48.8% .217 264.4)",
            "800": "oklch(42.4% .18 265.6)",
            "900": "oklch(37.9% .138 265.5)",
            "950": "oklch(28.2% .087 267.9)",
        },
    },
    "SIDEBAR": {"show_search": True, "navigation": FLOW},
}
