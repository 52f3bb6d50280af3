"""A small cast and its props; every factory has defaults, so that a test names only what it is about."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from channels_app.models import Account
from pushcenter.access.models import ApiKey, Scope, System
from pushcenter.messaging import intake
from pushcenter.messaging.models import Delivery, Message, Tally
from pushcenter.recipients.models import Address, Category, Recipient
from templates_app.models import Template, TemplateVersion, Variant, VersionState

SCHEMA = {
    "type": "object",
    "properties": {"order_no": {"type": "string"}, "amount": {"type": "string", "default": "0"}},
    "required": ["order_no"],
    "additionalProperties": False,
}
CONTENT: dict[str, dict[str, str]] = {
    "inbox": {"title": "Paid: {{ order_no }}", "body": "Thank you, {{ recipient.name }}."},
    "email": {"subject": "Order {{ order_no }}", "text": "We received {{ amount }}.", "html": ""},
    "sms": {"text": "Order {{ order_no }} is paid."},
    "push": {"title": "Paid", "body": "{{ order_no }}"},
    "webhook": {"event": "order.paid", "data": '{"order_no": {{ order_no|tojson }}}'},
}


def system(code: str = "shop", **fields: Any) -> System:
    return System.objects.get_or_create(code=code, defaults={"name": code.title(), **fields})[0]


def key(
    of: System | None = None, *, scopes: Sequence[str] | None = None, **fields: Any
) -> tuple[ApiKey, str]:
    """A key and its secret; with every scope unless some are named."""
    row = ApiKey(system=of or system(), scopes=list(scopes if scopes is not None else Scope.values), **fields)
    return row, row.issue()


def category(code: str = "orders", **fields: Any) -> Category:
    return Category.objects.get_or_create(code=code, defaults={"name": code.title(), **fields})[0]


def recipient(
    external_id: str = "u-1001", addresses: Mapping[str, str] | None = None, **fields: Any
) -> Recipient:
    """A recipient with an email address, unless other addresses are given."""
    person = Recipient.objects.create(
        external_id=external_id, **{"name": "Li Wei", "locale": "zh-hans", **fields}
    )
    places = {"email": f"{external_id}@example.com"} if addresses is None else addresses
    for kind, value in places.items():
        Address.objects.create(recipient=person, kind=kind, value=value)
    return person


def template(
    code: str = "order-paid",
    channels: Sequence[str] = ("inbox", "email"),
    *,
    content: Mapping[str, Mapping[str, str]] | None = None,
    published: bool = True,
    schema: Mapping[str, Any] = SCHEMA,
    **fields: Any,
) -> Template:
    """A template with one version, a default variant for each channel."""
    row = Template.objects.create(
        code=code, channels=list(channels), **{"name": code, "category": category(), **fields}
    )
    version = TemplateVersion.objects.create(template=row, number=1, variables=dict(schema))
    for channel in channels:
        source = (content or {}).get(channel) or CONTENT[channel]
        Variant.objects.create(version=version, channel=channel, content=dict(source))
    if published:
        version.state, version.published_at = VersionState.PUBLISHED, timezone.now()
        version.save()
    return row


def account(channel: str = "email", adapter: str = "simulated", **fields: Any) -> Account:
    """An account, simulated unless another adapter is named; ``config`` is stored through its form."""
    config = fields.pop("config", {})
    row = Account(name=fields.pop("name", f"{channel} {adapter}"), channel=channel, adapter=adapter, **fields)
    form = row.adapter_class.Config(data=config)
    # A form field with a default shows it first; what a test leaves out means that default.
    data = {name: field.initial for name, field in form.fields.items() if field.initial is not None} | config
    form = row.adapter_class.Config(data=data)
    assert form.is_valid(), form.errors
    row.set_config(form.cleaned_data)
    row.save()
    return row


def accounts(*channels: str) -> None:
    """A simulated account for each channel, and the inbox's own."""
    for channel in channels:
        account(channel, "inbox" if channel == "inbox" else "simulated")


def message(
    template_code: str = "order-paid",
    *,
    to: Mapping[str, Any] | None = None,
    caller: intake.Caller | None = None,
    **fields: Any,
) -> Message:
    """An accepted message."""
    request = intake.Request(
        template=template_code,
        to=to or {"recipient": "u-1001"},
        **{"params": {"order_no": "SO-1"}, **fields},
    )
    accepted = intake.accept(request, caller=caller or intake.Caller(system_id=system().pk))
    assert isinstance(accepted, intake.Accepted)
    return Message.objects.get(pk=accepted.id)


def caller(**fields: Any) -> intake.Caller:
    """Whom intake lets in: the system ``shop``, unless told otherwise."""
    return intake.Caller(**{"system_id": system().pk, **fields})


def make_due(delivery: Delivery) -> None:
    """Let the time of a waiting delivery come."""
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now())


def in_an_hour() -> datetime:
    return timezone.now() + timedelta(hours=1)


def figures() -> dict[tuple[str, str], int]:
    """The tallies so far, by channel and measure."""
    rows = Tally.objects.values_list("channel", "measure").annotate(sum=Sum("amount"))
    return {(channel, measure): amount for channel, measure, amount in rows if amount}
