"""Puts the demo's data into the database. What is there already stays as people have changed it since.

Only what names a port follows the settings: the mail account, and the addresses of the bundled receiver.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from channels_app.models import Account
from channels_app.registry import channels
from pushcenter.access.models import System
from pushcenter.demo.data.people import CATEGORIES, GROUPS, PEOPLE, SYSTEMS
from pushcenter.demo.data.shapes import PersonSeed, TemplateSeed
from pushcenter.demo.data.templates import TEMPLATES
from pushcenter.demo.outside import HOST, receiver_secret
from pushcenter.recipients.models import Address, Category, Group, Preference, Recipient
from templates_app.models import Template, TemplateVersion, Variant, VersionState

SENDER = "Push Center Demo <demo@pushcenter.example>"
WEBHOOK_PATH = "/webhook"


@transaction.atomic
def seed() -> None:
    """Idempotent; a second call changes nothing unless a port or the receiver's secret has changed."""
    for code, fields in SYSTEMS.items():
        System.objects.get_or_create(code=code, defaults=fields)
    for code, fields in CATEGORIES.items():
        Category.objects.get_or_create(code=code, defaults=fields)
    for code, name in GROUPS.items():
        Group.objects.get_or_create(code=code, defaults={"name": name})
    for person in PEOPLE:
        _seed_person(person)
    for template in TEMPLATES:
        _seed_template(template)
    _seed_accounts()


def receiver_url() -> str:
    return f"http://{HOST}:{settings.DEMO_HTTP_PORT}{WEBHOOK_PATH}"


def _seed_person(person: PersonSeed) -> None:
    row, is_new = Recipient.objects.get_or_create(
        external_id=person.external_id,
        defaults={"name": person.name, "locale": person.locale, "time_zone": person.time_zone},
    )
    if is_new:
        row.groups.set(Group.objects.filter(code__in=person.groups))
        for kind, value in person.addresses.items():
            normalised = channel_of(kind).normalise(value)
            Address.objects.create(recipient=row, kind=kind, value=normalised)
        for category in Category.objects.filter(code__in=person.muted):
            Preference.objects.create(recipient=row, category=category)
        if person.has_webhook:
            Address.objects.create(recipient=row, kind="url", value=receiver_url())
    _move_receiver(row)


def channel_of(kind: str) -> Any:
    """The channel that knows how addresses of this kind look."""
    return next(channel for channel in channels().values() if channel.address_kind == kind)


def _move_receiver(row: Recipient) -> None:
    """Let an address of the bundled receiver follow its port."""
    for address in row.addresses.filter(kind="url").exclude(value=receiver_url()):
        parts = urlsplit(address.value)
        if parts.hostname == HOST and parts.path == WEBHOOK_PATH:
            address.value = receiver_url()
            address.save(update_fields=["value"])


def _seed_template(seed: TemplateSeed) -> None:
    row, is_new = Template.objects.get_or_create(
        code=seed.code,
        defaults={
            "name": seed.name,
            "category": Category.objects.get(code=seed.category),
            "priority": seed.priority,
            "route_mode": seed.route_mode,
            "steps": {channel: step.as_json() for channel, step in seed.steps.items()},
            "channels": list(seed.says),
            "time_to_live": seed.time_to_live,
            "doubt_policy": seed.doubt_policy,
        },
    )
    if is_new:
        _publish_first_version(row, seed)


def _publish_first_version(row: Template, seed: TemplateSeed) -> None:
    version = TemplateVersion.objects.create(
        template=row,
        number=1,
        variables=seed.schema(),
        samples=[{"name": "Li Wei", "params": dict(seed.sample)}],
        note="From the demo.",
    )
    for channel, said in seed.says.items():
        for locale, content in said.by_locale().items():
            Variant.objects.create(version=version, channel=channel, locale=locale, content=dict(content))
    version.state, version.published_at = VersionState.PUBLISHED, timezone.now()
    version.save(update_fields=["state", "published_at"])


def _seed_accounts() -> None:
    # The receivers of the trial move with its settings, so their accounts are set at every start.
    mail = {"host": HOST, "port": settings.DEMO_SMTP_PORT, "security": "none", "from_address": SENDER}
    _set_account("Bundled mail sink", "email", "smtp", mail)
    secret = receiver_secret(settings.PUSHCENTER_DATA / "demo")
    _set_account("Bundled webhook receiver", "webhook", "http", {"secret": secret})
    _set_account("Inbox", "inbox", "inbox", {})
    _set_account("SMS simulator (reaches nobody)", "sms", "simulated", {})
    _set_account("Push simulator (reaches nobody)", "push", "simulated", {"latency_ms": 40})


def _set_account(name: str, channel: str, adapter: str, values: dict[str, Any]) -> None:
    account = Account.objects.filter(name=name).first() or Account(name=name)
    account.channel, account.adapter = channel, adapter
    form = account.adapter_class.Config
    initial = {key: field.initial for key, field in form.base_fields.items() if field.initial is not None}
    filled = form(data={**initial, **values})
    if not filled.is_valid():
        raise ValueError(f"the demo account {name!r} is wrong: {filled.errors.as_text()}")
    account.set_config(filled.cleaned_data)
    account.save()
