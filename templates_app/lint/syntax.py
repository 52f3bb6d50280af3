"""Whether a variant can be sent at all: complete, a template, and one that its samples go through."""

from collections.abc import Iterator

from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from templates_app.lint.examples import TEXT, draft, mail, on
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, at, rule
from templates_app.part_forms import form_of
from templates_app.render import RenderError

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
            said = message.partition(" (in ")[0]  # the engine's own name for the field
            yield at(text, gettext("This is no template: %(message)s.") % {"message": said}, line=line)


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
            yield _of(each.error, each.written.channel, each.written.locale, message)


def _of(error: RenderError, channel: str, locale: str, message: str) -> Finding:
    return Finding(message=message, channel=channel, locale=locale, field=error.field, line=error.line)


RULES = (incomplete_content, syntax, rendering)
