"""How long a text gets, with each of the samples, and what that means on its channel."""

from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.segments import BASIC, EXTENDED, segments
from templates_app.lint.examples import TEXT, draft, mail, on
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, at, rule
from templates_app.lint.text import Text

#: Characters of a subject that most mail programs show on a screen (RFC 5322 advises this for a line, too).
SUBJECT = 78
#: More parts than these are dear, and arrive late.
SEGMENTS = 3
#: What a lock screen shows, in characters: the shorter one of iOS and Android.
PUSH = {"title": 65, "body": 178}
#: So few characters outside of the GSM alphabet may be there by mistake, such as a typographic quote.
STRAY = 3
#: Room that a cut leaves free at most: it ends at a character, without the blanks before it.
ROOM = "x" * 16
SAMPLES = (("usual", {"name": "Li Wei"}),)
LONG = "Thank you for your order. "


def _longest(reading: Reading, channel: str, field: str) -> Iterator[tuple[Text, str]]:
    """The field of each variant with the sample that makes it longest; as it stands where nothing varies."""
    found: dict[tuple[str, str], tuple[Text, str]] = {}
    for text, _sample, value in reading.rendered():
        if text.channel == channel and text.field == field and isinstance(value, str):
            key = (text.locale, text.field)
            if key not in found or len(value) > len(found[key][1]):
                found[key] = (text, value)
    for text in reading.texts:
        is_constant = "{{" not in text.source and "{%" not in text.source
        if text.channel == channel and text.field == field and is_constant:
            found.setdefault((text.locale, text.field), (text, text.source))
    yield from found.values()


@rule(
    code="long-subject",
    severity=Severity.HINT,
    title=_("A subject is long"),
    why=_("Lists of mails show about 78 characters of it, and phones half of that."),
    todo=_("Say what matters first, and the rest in the preview text."),
    bad=mail(text="Thank you.", subject=LONG * 4),
    good=mail(text="Thank you.", subject="Your order"),
)
def long_subject(reading: Reading) -> Iterator[Finding]:
    for text, value in _longest(reading, "email", "subject"):
        if len(value) > SUBJECT:
            message = gettext("The subject has %(size)s characters; about %(limit)s are shown.") % {
                "size": len(value),
                "limit": SUBJECT,
            }
            yield at(text, message)


@rule(
    code="long-sms",
    severity=Severity.HINT,
    title=_("A text message takes several parts"),
    why=_(
        "Each part is paid for; beyond three they arrive late and out of order, and beyond ten nothing is sent."
    ),
    todo=_("Shorten the text. One part takes 160 characters of the GSM alphabet, or 70 of any other."),
    bad=draft(on("sms", text=LONG * 20)),
    good=draft(on("sms", text=LONG)),
)
def long_sms(reading: Reading) -> Iterator[Finding]:
    for text, value in _longest(reading, "sms", "text"):
        count = segments(value).count
        if count > 1:
            message = gettext("It takes %(count)s text messages, each of which is paid for.") % {
                "count": count
            }
            yield at(text, message, severity=Severity.WARNING if count > SEGMENTS else None)


@rule(
    code="sms-alphabet",
    severity=Severity.HINT,
    title=_("A stray character makes a text message longer"),
    why=_("One character outside of the GSM alphabet makes a part take 70 characters in place of 160."),
    todo=_("Write the character in a plainer way, such as ' for ’ or - for –."),
    bad=draft(on("sms", text="We’re glad: " + LONG * 4)),
    good=draft(on("sms", text="We're glad: " + LONG * 4)),
)
def sms_alphabet(reading: Reading) -> Iterator[Finding]:
    for text, value in _longest(reading, "sms", "text"):
        strays = sorted({each for each in value if each not in BASIC and each not in EXTENDED})
        if 0 < len(strays) <= STRAY and segments(value).count > _without(value, strays):
            message = gettext(
                "For the sake of %(characters)s it takes %(count)s text messages, and not %(fewer)s."
            ) % {
                "characters": " ".join(strays),
                "count": segments(value).count,
                "fewer": _without(value, strays),
            }
            line = next(
                (place for place, each in enumerate(text.source.splitlines(), 1) if strays[0] in each), 0
            )
            yield at(text, message, line=line)


def _without(value: str, strays: list[str]) -> int:
    for each in strays:
        value = value.replace(each, "x")
    return segments(value).count


@rule(
    code="long-push",
    severity=Severity.HINT,
    title=_("A notification is longer than a phone shows"),
    why=_(
        "A lock screen shows about 65 characters of the title and 178 of the text; the rest asks for a tap."
    ),
    todo=_("Say what matters first."),
    bad=draft(on("push", title=LONG * 3, body="Thank you.")),
    good=draft(on("push", title="Paid", body="Thank you.")),
)
def long_push(reading: Reading) -> Iterator[Finding]:
    for field, limit in PUSH.items():
        for text, value in _longest(reading, "push", field):
            if len(value) > limit:
                message = gettext("It has %(size)s characters; a lock screen shows about %(limit)s.") % {
                    "size": len(value),
                    "limit": limit,
                }
                yield at(text, message)


@rule(
    code="cut-text",
    severity=Severity.WARNING,
    title=_("A text is cut off"),
    why=_(
        "The provider takes no more, so that the end is replaced by an ellipsis, and people never read it."
    ),
    todo=_("Shorten the text, or say what matters first."),
    bad=draft(
        on("push", title="Paid", body=LONG * 70 + "{{ name }}"), declared={"name": TEXT}, samples=SAMPLES
    ),
    good=draft(on("push", title="Paid", body=LONG + "{{ name }}"), declared={"name": TEXT}, samples=SAMPLES),
)
def cut_text(reading: Reading) -> Iterator[Finding]:
    seen: set[Text] = set()
    for text, _sample, value in reading.rendered():
        if text not in seen and isinstance(value, str) and _is_cut(text, value):
            seen.add(text)
            yield at(text, gettext("It is too long for the channel; its end is cut off."))


def _is_cut(text: Text, value: str) -> bool:
    ends = value.endswith(("…", "..."))
    return text.declared.too_long == "cut" and ends and bool(text.declared.limit.excess(value + ROOM))


RULES = (long_subject, long_sms, sms_alphabet, long_push, cut_text)
