"""What a mail needs beside its words."""

from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from templates_app.lint.examples import draft, mail, on
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, at, rule
from templates_app.variables import WAY_OUT

#: Gmail shows no more of a mail, in bytes: its end, and the unsubscribe link there, is hidden behind a link.
CLIPPED_AT = 102_000
WITHOUT = "<p>Thank you.</p>"
WITH = '<p>Thank you.</p><p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
#: Elements that mail programs take out, or warn of.
STRIPPED = ("script", "form", "input", "button", "iframe", "object", "embed", "video", "audio")


@rule(
    code="text-part",
    severity=Severity.HINT,
    title=_("A mail has no text part"),
    why=_(
        "Some people and many watches read text alone, and filters trust a mail with both parts more. Without one, the "
        "text is made from the HTML, which may read badly."
    ),
    todo=_("Write the text part."),
    bad=mail(WITHOUT),
    good=mail(WITHOUT, "Thank you."),
)
def text_part(reading: Reading) -> Iterator[Finding]:
    for written in reading.of("email"):
        if written.content.get("html") and not written.content.get("text"):
            yield Finding(
                message=gettext("There is no text part."),
                channel="email",
                locale=written.locale,
                field="text",
            )


@rule(
    code="unsubscribe-link",
    severity=Severity.WARNING,
    title=_("A mail has no unsubscribe link"),
    why=_(
        "People may leave this category. Law demands a way out in many countries, and who finds none presses "
        "“spam”, which harms all of your mails."
    ),
    todo=_("Add a link to {{ unsubscribe_url }}; or make the category mandatory, where nobody may leave it."),
    bad=mail(WITHOUT),
    good=mail(WITH),
)
def unsubscribe_link(reading: Reading) -> Iterator[Finding]:
    if not reading.draft.can_be_left:
        return
    for text in reading.texts:
        if text.channel != "email" or text.field not in {"html", "text"} or text.errors:
            continue
        if not any(WAY_OUT in source for source in (text.source, *text.reached.values())):
            yield at(text, gettext("There is no link to {{ unsubscribe_url }}."))


@rule(
    code="mail-size",
    severity=Severity.WARNING,
    title=_("A mail is too large"),
    why=_("Gmail cuts the HTML off at 102 KB and hides the rest, with the unsubscribe link in it."),
    todo=_("Shorten the mail, or move pictures that are written into it to a server."),
    bad=mail("<p>" + "Thank you. " * 10_000 + "</p>", samples=(("usual", {}),)),
    good=mail(WITHOUT, samples=(("usual", {}),)),
)
def mail_size(reading: Reading) -> Iterator[Finding]:
    for each in reading.shown:
        html = each.content.get("html")
        if each.written.channel == "email" and isinstance(html, str):
            size = len(html.encode("utf-8", "replace"))
            if size > CLIPPED_AT:
                message = gettext("The HTML has %(size)s KB; Gmail shows 102.") % {"size": size // 1000}
                yield Finding(message=message, channel="email", locale=each.written.locale, field="html")
                return


@rule(
    code="not-in-mail",
    severity=Severity.WARNING,
    title=_("A mail has what mail programs take out"),
    why=_("Scripts, forms and embedded pages do not work in mails, and make filters suspicious."),
    todo=_("Link to a page that has them."),
    bad=mail("<form><input></form>"),
    good=mail('<a href="https://example.com/form">Answer</a>'),
)
def not_in_mail(reading: Reading) -> Iterator[Finding]:
    for text in reading.texts:
        if text.channel == "email" and text.is_html:
            for element in text.page.all(*STRIPPED):
                message = gettext("<%(tag)s> does not work in mails.") % {"tag": element.tag}
                yield Finding(
                    message=message, channel="email", locale=text.locale, field=text.field, line=element.line
                )


@rule(
    code="preview-text",
    severity=Severity.HINT,
    title=_("A mail has no preview text"),
    why=_("Lists of mails show it beside the subject; without one they show how the HTML begins."),
    todo=_("Say in one sentence what the mail is about."),
    bad=mail(WITHOUT),
    good=draft(on("email", subject="Your order", html=WITHOUT, preheader="It is paid.")),
)
def preview_text(reading: Reading) -> Iterator[Finding]:
    for written in reading.of("email"):
        if written.content.get("html") and not written.content.get("preheader"):
            yield Finding(
                message=gettext("There is no preview text."),
                channel="email",
                locale=written.locale,
                field="preheader",
            )


RULES = (text_part, unsubscribe_link, preview_text, mail_size, not_in_mail)
