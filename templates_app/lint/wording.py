"""Words that look like spam, to people and to filters."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from templates_app.lint.examples import mail
from templates_app.lint.page import STATEMENT, VALUE, protected
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, at, rule
from templates_app.lint.text import Text

#: Fewer letters than these may be an abbreviation.
FEW_LETTERS = 10
MOSTLY = 0.6
#: Words of four letters and more, three of them one after the other.
SHOUTED = re.compile(r"\b[A-ZÀ-ÞА-Я]{4,}(?:[\s,]+[A-ZÀ-ÞА-Я]{4,}){2,}\b")
EXCLAIMED = re.compile(r"[!！]\s*[!！]")
HEADS = frozenset({"subject", "title", "preheader"})
MANY_IN_A_HEAD = 1


def _lines(text: Text) -> Iterator[tuple[int, str]]:
    """What the editor wrote, line by line, without what the template puts in."""
    if text.is_html:
        for element in text.page.elements:
            if element.tag not in {"style", "script"}:
                yield from element.text
    elif text.is_plain:
        blank = protected(text.source).replace(VALUE, " ").replace(STATEMENT, " ")
        yield from enumerate(blank.splitlines(), 1)


@rule(
    code="capitals",
    severity=Severity.WARNING,
    title=_("Words are written in capitals"),
    why=_("Capitals are read as shouting, letter by letter, and filters count them as a sign of spam."),
    todo=_("Write as in a letter; make what matters bold."),
    bad=mail(text="Thank you.", subject="YOUR ORDER IS PAID"),
    good=mail(text="Thank you.", subject="Your order is paid"),
)
def capitals(reading: Reading) -> Iterator[Finding]:
    for text in reading.texts:
        for line, said in _lines(text):
            if SHOUTED.search(said) or (text.field in HEADS and _is_shouted(said)):
                yield at(text, gettext("Words are written in capitals."), line=line)


def _is_shouted(said: str) -> bool:
    letters = [each for each in said if each.isupper() or each.islower()]
    return len(letters) >= FEW_LETTERS and sum(each.isupper() for each in letters) >= MOSTLY * len(letters)


@rule(
    code="exclamation",
    severity=Severity.WARNING,
    title=_("Exclamation marks pile up"),
    why=_("More than one exclamation mark looks like spam, and filters count them."),
    todo=_("Leave one, or none."),
    bad=mail(text="Thank you.", subject="Paid!!!"),
    good=mail(text="Thank you!", subject="Paid"),
)
def exclamation(reading: Reading) -> Iterator[Finding]:
    for text in reading.texts:
        for line, said in _lines(text):
            marks = said.count("!") + said.count("！")
            if EXCLAIMED.search(said) or (text.field in HEADS and marks > MANY_IN_A_HEAD):
                yield at(text, gettext("There is more than one exclamation mark."), line=line)


RULES = (capitals, exclamation)
