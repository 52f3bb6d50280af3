"""Who is told of alerts, and how: the recipients of a group, by ordinary messages of a category that they can mute.

Group, category, template and the system that sends are made when they are first needed, and are rows like all
others from then on: what people have changed in them stays.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone, translation

from pushcenter.faults import Rejected
from pushcenter.lanes import Lane
from pushcenter.messaging import alert_words, intake, queue, validate
from pushcenter.messaging.models import Alert, Severity
from pushcenter.messaging.own_systems import ALERTS as SYSTEM
from pushcenter.messaging.request import Caller, Request
from pushcenter.messaging.routing import Choice, Decision, plan
from pushcenter.recipients.models import Category, Group, Preference, Recipient
from pushcenter.recipients.resolve import resolve
from pushcenter.retold import named, retold
from templates_app.locales import fallbacks
from templates_app.models import Template, TemplateVersion, Variant, VersionState

GROUP, CATEGORY, TEMPLATE = "operators", "operations", "operations-alert"
#: Second half of the advisory lock's key: these rows are made once.
MAKING = 0xA1E8
#: An alert that nobody got within a day is told again as a reminder.
TIME_TO_LIVE = 24 * 3600


def tell(alert: Alert, what: str) -> list[dict[str, Any]]:
    """Send a message to each operator; returns a line for each: over which channels, or why not.

    To be called in a transaction, which then has the messages, too.
    """
    everybody = people()
    if not everybody:
        return []
    caller = prepare()
    return [_tell_one(person, _in_language_of(person, alert, what), caller) for person in everybody]


def people() -> list[Recipient]:
    """Those who want to be told."""
    return list(Recipient.objects.filter(groups__code=GROUP).order_by("external_id"))


def reach(person: Recipient) -> Sequence[Decision]:
    """On which channels this person would be told now, and why not on the others."""
    caller = prepare()
    judged = validate.judge(Request(template=TEMPLATE), caller=caller, now=timezone.now())
    if judged.terms is None:
        return []
    return plan(judged.terms.route, resolve({"recipient": person.external_id}))


def subscribe(person: Recipient, channels: Collection[str]) -> None:
    """Let a person be told, over these channels and no others."""
    with transaction.atomic():
        person.groups.add(group())
        Preference.objects.filter(recipient=person, category=category()).delete()
        Preference.objects.bulk_create(
            Preference(recipient=person, category=category(), channel=channel)
            for channel in alert_words.SAYS
            if channel not in channels
        )


def unsubscribe(person: Recipient) -> None:
    """Tell a person nothing any more."""
    person.groups.remove(group())


def muted(person: Recipient) -> set[str]:
    """The channels over which a person does not want to be told."""
    rows = Preference.objects.filter(recipient=person, category__code=CATEGORY, is_muted=True)
    found = set(rows.values_list("channel", flat=True))
    return set(alert_words.SAYS) if "" in found else found


def _tell_one(person: Recipient, request: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    told: dict[str, Any] = {"recipient": person.external_id, "name": str(person)}
    decisions = reach(person)
    channels = [each.channel for each in decisions if each.choice is Choice.CHOSEN]
    if not channels:
        reasons = ", ".join(f"{each.channel}: {each.reason.value}" for each in decisions)
        return {**told, "why": reasons or "the template says nothing"}
    try:
        with transaction.atomic():
            wanted = Request(**request, to={"recipient": person.external_id}, channels=channels)
            accepted = intake.accept(wanted, caller=caller)
    except Rejected as error:
        return {**told, "why": str(error)[:300]}
    return {
        **told,
        "channels": channels,
        "message": str(accepted.id) if isinstance(accepted, intake.Accepted) else "",
    }


def _in_language_of(person: Recipient, alert: Alert, what: str) -> dict[str, Any]:
    spoken = [each for each in fallbacks(person.locale) if each in dict(settings.LANGUAGES)]
    with translation.override(spoken[0] if spoken else settings.LANGUAGE_CODE):
        return _request(alert, what)


def _request(alert: Alert, what: str) -> dict[str, Any]:
    is_urgent = alert.severity == Severity.CRITICAL and what != "resolved"
    return {
        "template": TEMPLATE,
        "priority": Lane.CRITICAL if is_urgent else Lane.HIGH,
        "reference": f"alert:{alert.pk}",
        "params": {
            "what": what,
            "severity": alert.severity,
            "text": retold(alert.text),
            "since": f"{timezone.localtime(alert.since):%Y-%m-%d %H:%M:%S %Z}",
            "until": f"{timezone.localtime(alert.resolved_at):%Y-%m-%d %H:%M:%S %Z}"
            if alert.resolved_at
            else "",
            "count": alert.count,
            "facts": [{"name": name, "value": value} for name, value in _facts(alert.data)],
            "link": f"{settings.BASE_URL}/admin/messaging/alert/{alert.pk}/change/",
        },
    }


def _facts(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known in detail, in words; of lists their beginning."""
    for name, value in list(data.items())[:20]:
        values = value if isinstance(value, list) else [value]
        yield named(name), ", ".join(retold(str(each)) for each in values[:10])[:300]


def prepare() -> Caller:
    """See to it that everything that an alert's message needs is there; returns who sends it."""
    system = apps.get_model("access.System")
    found = system.objects.filter(code=SYSTEM).values_list("pk", flat=True).first()
    if found is None or not Template.objects.filter(code=TEMPLATE).exists():
        found = _make()
    return Caller(system_id=found)


@transaction.atomic
def _make() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [queue.LOCK_CLASS, MAKING])
    system = apps.get_model("access.System")
    sender, _is_new = system.objects.get_or_create(
        code=SYSTEM, defaults={"name": "Push Center", "may_broadcast": False}
    )
    group()
    category()
    if not Template.objects.filter(code=TEMPLATE).exists():
        _make_template(category())
    return sender.pk


def group() -> Group:
    """Whoever is in this group is told."""
    return Group.objects.get_or_create(code=GROUP, defaults={"name": "Operators"})[0]


def category() -> Category:
    """What they can mute, on one channel or on all."""
    description = "Alerts of Push Center itself, for those who run it."
    return Category.objects.get_or_create(
        code=CATEGORY, defaults={"name": "Operations", "description": description}
    )[0]


def _make_template(of: Category) -> None:
    template = Template.objects.create(
        code=TEMPLATE,
        name="Alert for operators",
        category=of,
        priority=Lane.HIGH,
        channels=list(alert_words.SAYS),
        time_to_live=TIME_TO_LIVE,
    )
    version = TemplateVersion.objects.create(
        template=template,
        number=1,
        variables=alert_words.SCHEMA,
        samples=[{"name": "A paused account", "params": alert_words.SAMPLE}],
        note="Comes with Push Center.",
    )
    Variant.objects.bulk_create(
        Variant(version=version, channel=channel, locale=locale, content=content)
        for channel, said in alert_words.SAYS.items()
        for locale, content in said.items()
    )
    version.state, version.published_at = VersionState.PUBLISHED, timezone.now()
    version.save(update_fields=["state", "published_at"])
