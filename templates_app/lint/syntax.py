"""Whether a variant can be sent at all: complete, a template, and one that its samples go through."""

from collections.abc import Iterator

from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from templates_app.lint.draft import Written
from templates_app.lint.examples import TEXT, draft, mail, on
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, at, rule
from templates_app.lint.text import Text
from templates_app.part_forms import form_of
from templates_app.render import RenderError
from templates_app.source import SourceError

GOOD = mail(text="Thank you.")


@rule(
    code="incomplete-content",
    severity=Severity.ERROR,
    title=_("A field is missing or cannot be taken"),
    why=_("The channel cannot send a variant without what it needs, or with what it has no room for."),
    todo=_("Fill in the field, or shorten it."),
    bad=draft(on("email", subject="Your order")),
    good=GOOD,
)
def incomplete_content(reading: Reading) -> Iterator[Finding]:
    for written in reading.known:
        kind = form_of(written.channel)
        form = kind(dict(written.content)) if kind else None
        for field, messages in form.errors.items() if form else ():
            name = "" if field == NON_FIELD_ERRORS else field
            for message in messages:
                yield Finding(
                    message=str(message), channel=written.channel, locale=written.locale, field=name
                )


@rule(
    code="syntax",
    severity=Severity.ERROR,
    title=_("The source is no template"),
    why=_("The engine cannot read it, so that no message could be made of it."),
    todo=_(
        "Mend the line: each {{ needs its }}, each {% if %} its {% endif %}, each {% for %} its {% endfor %}."
    ),
    bad=mail(text="Thank you, {{ recipient.name }"),
    good=mail(text="Thank you, {{ recipient.name }}"),
)
def syntax(reading: Reading) -> Iterator[Finding]:
    for text in reading.texts:
        for line, message in text.errors:
            yield at(text, gettext("This is no template: %(message)s.") % {"message": message}, line=line)


@rule(
    code="part",
    severity=Severity.ERROR,
    title=_("A layout or a snippet cannot be put in"),
    why=_("A message without the part that its text names cannot be made."),
    todo=_("Publish the part first, in the form that is needed here; or name another one."),
    bad=mail(text='Thank you. {% include "signature" %}'),
    good=draft(
        Written(
            "email",
            "",
            {"subject": "Your order", "text": 'Thank you. {% include "signature" %}'},
            {"signature.txt": "Your shop"},
        )
    ),
)
def part(reading: Reading) -> Iterator[Finding]:
    for text in reading.texts:
        if not text.errors and text.missing_part is not None:
            yield at(text, text.missing_part.message, line=_line(text.missing_part, text))


def _line(error: SourceError, text: Text) -> int:
    return error.line if error.source == text.engine_name else 0


def _not_made(reading: Reading) -> Iterator[tuple[Written, RenderError, bool]]:
    """The variants of which the engine makes nothing though their sources are templates; whether that is MJML."""
    told = {(each.channel, each.locale) for each in reading.texts if each.errors or each.missing_part}
    for written, error in reading.compiled:
        if isinstance(error, RenderError) and (written.channel, written.locale) not in told:
            sources = (str(written.content.get(error.field, "")), *written.parts.values())
            yield written, error, any("<mj" in source for source in sources)


@rule(
    code="mjml",
    severity=Severity.ERROR,
    title=_("MJML cannot be compiled"),
    why=_("The HTML of the mail is made of it, and here it is no MJML."),
    todo=_("Mend the line: close each element, and use the elements of MJML in their places."),
    bad=mail("<mjml><mj-body><mj-nothing></mj-nothing></mj-body></mjml>"),
    good=mail("<mjml><mj-body><mj-section></mj-section></mj-body></mjml>"),
)
def mjml(reading: Reading) -> Iterator[Finding]:
    for written, error, is_mjml in _not_made(reading):
        if is_mjml:
            yield _of(error, written, error.message)


@rule(
    code="compile",
    severity=Severity.ERROR,
    title=_("The variant cannot be made ready"),
    why=_(
        "When a version is published, links are secured and style sheets put in; here that is not possible."
    ),
    todo=_("Mend what the sentence names."),
    bad=draft(
        Written(
            "email",
            "",
            {"subject": "Your order", "html": '<a href="{% include "address" %}">Look</a>'},
            {"address.html": "https://example.com/"},
        )
    ),
    good=mail('<a href="https://example.com/">Look</a>'),
)
def compiles(reading: Reading) -> Iterator[Finding]:
    for written, error, is_mjml in _not_made(reading):
        if not is_mjml:
            yield _of(error, written, error.message)


@rule(
    code="rendering",
    severity=Severity.ERROR,
    title=_("A sample cannot be rendered"),
    why=_(
        "A message with parameters like those of the sample would fail, and its recipient would get nothing."
    ),
    todo=_("Mend the template; where the sample is what is wrong, mend the sample."),
    bad=draft(
        on("webhook", event="order.paid", data='{"order": {{ order_no }} }}'),
        declared={"order_no": TEXT},
        samples=(("usual", {"order_no": "SO-1"}),),
    ),
    good=draft(
        on("webhook", event="order.paid", data='{"order": {{ order_no }} }'),
        declared={"order_no": TEXT},
        samples=(("usual", {"order_no": "SO-1"}),),
    ),
)
def rendering(reading: Reading) -> Iterator[Finding]:
    for each in reading.shown:
        if each.error is not None:
            message = gettext("With the sample “%(sample)s” it cannot be rendered: %(message)s.") % {
                "sample": each.sample,
                "message": each.error.message.rstrip("."),
            }
            yield _of(each.error, each.written, message)


def _of(error: RenderError, written: Written, message: str) -> Finding:
    if error.part:  # whose lines are not those of the field
        message = gettext("In “%(part)s”, line %(line)s: %(message)s") % {
            "part": error.part,
            "line": error.line,
            "message": message,
        }
    return Finding(
        message=message,
        channel=written.channel,
        locale=written.locale,
        field=error.field,
        line=0 if error.part else error.line,
    )


RULES = (incomplete_content, syntax, part, mjml, compiles, rendering)
