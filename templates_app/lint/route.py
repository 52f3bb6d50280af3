"""The route of the template, and the languages of its variants."""

from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from templates_app.lint.examples import draft, on
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, rule
from templates_app.locales import fallbacks
from templates_app.part_forms import form_of

#: Programs read no language.
TO_PROGRAMS = frozenset({"webhook"})
EN, ZH = on("sms", "en", text="Paid."), on("sms", "zh-hans", text="已付款。")


@rule(
    code="no-channel",
    severity=Severity.ERROR,
    title=_("The route is empty"),
    why=_("A template without a channel reaches nobody."),
    todo=_("Choose a channel on the page of the template."),
    bad=draft(EN, channels=()),
    good=draft(EN, channels=("sms",)),
)
def no_channel(reading: Reading) -> Iterator[Finding]:
    if reading.draft.is_sendable and not reading.draft.channels:
        yield Finding(message=gettext("The template names no channel."))


@rule(
    code="unknown-channel",
    severity=Severity.ERROR,
    title=_("A channel is not installed"),
    why=_("Nothing can be sent on it, and nobody can say what its content means."),
    todo=_("Install the adapter that brings the channel, or remove the variant."),
    bad=draft(on("pager", text="Paid."), channels=("pager",)),
    good=draft(EN, channels=("sms",)),
)
def unknown_channel(reading: Reading) -> Iterator[Finding]:
    names = [*reading.draft.channels, *(each.channel for each in reading.draft.variants)]
    for name in dict.fromkeys(names):
        if form_of(name) is None:
            message = gettext("This channel is not installed.")
            yield Finding(message=message, channel=name)


@rule(
    code="missing-variant",
    severity=Severity.ERROR,
    title=_("A channel of the route has no variant"),
    why=_("Deliveries on this channel would fail, because there is nothing to say on it."),
    todo=_("Write a variant for the channel, or take the channel out of the route."),
    bad=draft(EN, channels=("sms", "email")),
    good=draft(EN, channels=("sms",)),
)
def missing_variant(reading: Reading) -> Iterator[Finding]:
    written = {each.channel for each in reading.draft.variants}
    for name in reading.draft.channels:
        if name not in written:
            message = gettext("There is no variant for this channel.")
            yield Finding(message=message, channel=name)


@rule(
    code="missing-language",
    severity=Severity.WARNING,
    title=_("A language is missing on a channel"),
    why=_(
        "Another channel of this version speaks the language, so that there are people who read it. On this channel "
        "they get another one."
    ),
    todo=_("Write a variant for the channel in this language."),
    bad=draft(EN, ZH, on("push", "en", title="Paid", body="Thank you."), channels=("sms", "push")),
    good=draft(
        EN,
        ZH,
        on("push", "en", title="Paid", body="Thank you."),
        on("push", "zh-hans", title="已付款", body="谢谢。"),
        channels=("sms", "push"),
    ),
)
def missing_language(reading: Reading) -> Iterator[Finding]:
    used = sorted({each.locale for each in reading.known} - {""})
    for channel in (each for each in reading.channels if each not in TO_PROGRAMS):
        written = {each.locale for each in reading.of(channel)}
        for locale in used:
            if not written & (set(fallbacks(locale)) - {""}):
                message = gettext("There is no variant in %(locale)s, which other channels have.") % {
                    "locale": locale
                }
                yield Finding(message=message, channel=channel)


@rule(
    code="missing-default",
    severity=Severity.WARNING,
    title=_("A channel has no variant for everybody else"),
    why=_(
        "Whoever reads none of the languages that are written gets the first one of the alphabet, which is not "
        "what anybody decided."
    ),
    todo=_("Leave the locale of one variant empty: it is for everybody whose language has none of its own."),
    bad=draft(EN, ZH, channels=("sms",)),
    good=draft(on("sms", text="Paid."), ZH, channels=("sms",)),
)
def missing_default(reading: Reading) -> Iterator[Finding]:
    for channel in reading.channels:
        locales = [each.locale for each in reading.of(channel)]
        if "" not in locales:
            message = gettext("There is no default variant: people with another language get %(locale)s.") % {
                "locale": min(locales)
            }
            yield Finding(message=message, channel=channel)


@rule(
    code="unrouted-variant",
    severity=Severity.HINT,
    title=_("A variant is not in the route"),
    why=_("It is sent only where the calling system names the channel itself."),
    todo=_("Add the channel to the route, or remove the variant."),
    bad=draft(EN, on("push", title="Paid", body="Thank you."), channels=("sms",)),
    good=draft(EN, channels=("sms",)),
)
def unrouted_variant(reading: Reading) -> Iterator[Finding]:
    for channel in reading.channels:
        if reading.draft.channels and channel not in reading.draft.channels:
            message = gettext("This channel is not in the route of the template.")
            yield Finding(message=message, channel=channel)


@rule(
    code="no-account",
    severity=Severity.WARNING,
    title=_("No account serves a channel of the route"),
    why=_("Without an active account nothing leaves on this channel; its deliveries fail."),
    todo=_("Ask an operator to add an account for the channel, or take it out of the route."),
    bad=draft(EN, channels=("sms",), accounts={}),
    good=draft(EN, channels=("sms",), accounts={"sms": frozenset({"twilio"})}),
)
def no_account(reading: Reading) -> Iterator[Finding]:
    accounts = reading.draft.accounts
    for name in reading.draft.channels if accounts is not None else ():
        if form_of(name) and name not in (accounts or {}):
            message = gettext("No active account serves this channel.")
            yield Finding(message=message, channel=name)


RULES = (
    no_channel,
    unknown_channel,
    missing_variant,
    missing_language,
    missing_default,
    unrouted_variant,
    no_account,
)
