"""Style sheets put into the ``style`` of the elements that they are about, once when a template is compiled.

Many mail programs take no others. The text stays as it was written but for those attributes: css-inline reads a copy
and says which element has which style. What cannot stand at an element, such as media queries and ``:hover``, stays in
its ``<style>``.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape, unescape

import css_inline

from templates_app import mjml
from templates_app.flat import WORD, Flat
from templates_app.markup import Element, comments, elements
from templates_app.source import SourceError

#: The attribute by which an element is known again.
MARK = "data-pc-element"
#: Elements within each other, and rules times elements: css-inline takes too long beyond.
DEEPEST, MOST = 200, 500_000
#: They need no end, so that many of them are not within each other.
_ENDLESS = mjml.VOID | {"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "option"}
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
#: What css-inline leaves alone as well.
_LEFT = re.compile(r"data-css-inline\s*=\s*[\"']?(ignore|keep)", re.IGNORECASE)
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A ``<style>`` from ``start`` to ``end``."""

    start: int
    end: int
    attributes: str
    rules: str


def has_styles(text: str) -> bool:
    """Does a text have a style sheet that can be put in?"""
    return bool(_sheets(text))


def inlined(page: Flat) -> str:
    """The page with its style sheets put in; raises :class:`SourceError`."""
    text = page.text
    found = [
        each
        for each in elements(text)
        if each.name not in {"style", "head", "html", "meta", "title", "script"}
    ]
    sheets = _sheets(text)
    _check_size(page, found, sheets)
    try:
        styled = _INLINER.inline(_marked(text, found, sheets))
    except Exception as error:
        raise _error(page, f"the style sheet cannot be put in: {error}", sheets[0].start) from None
    changes = [(each.start, each.end, _what_stays(each)) for each in sheets]
    changes += _changes(text, found, _styles(styled))
    return _changed(text, changes)


def _check_size(page: Flat, found: list[Element], sheets: list[Sheet]) -> None:
    rules = sum(each.rules.count("{") for each in sheets)
    if rules * len(found) > MOST:
        raise _error(page, "the style sheet is too large for this page", sheets[0].start)
    depth = 0
    names = {each.start: each.name for each in found}
    for sign in re.finditer(r"<(/?)([a-zA-Z][^\s/>]*)", page.text):
        if sign[2].lower() in _ENDLESS:
            continue
        if sign[1]:
            depth = max(0, depth - 1)
        elif sign.start() in names:
            depth += 1
        if depth > DEEPEST:
            raise _error(page, f"more than {DEEPEST} elements within each other", sign.start())


def _error(page: Flat, message: str, position: int) -> SourceError:
    name, line = page.at(position)
    return SourceError(message, line=line, source=name)


def _sheets(text: str) -> list[Sheet]:
    """The sheets that are put in: none with variables, which nobody could read yet, and none within a comment."""
    if "<style" not in text.lower():
        return []
    within = comments(text)
    found: list[Sheet] = []
    for each in elements(text):
        if each.name != "style" or _is_within(each.start, within):
            continue
        end = text.find(">", each.body) + 1
        attributes, rules = text[each.start + 6 : each.end - 1], text[each.end : each.body]
        if end and not _has_words(rules) and not _LEFT.search(attributes):
            found.append(Sheet(each.start, end, attributes, rules))
    return found


def _is_within(position: int, spans: list[tuple[int, int]]) -> bool:
    before = bisect_right(spans, (position, position))
    return before > 0 and position < spans[before - 1][1]


def _marked(text: str, found: list[Element], sheets: list[Sheet]) -> str:
    """The copy: each element with its number, and without a style that has statements in it."""
    changes = [(each.start, each.end, f"<style>{each.rules}</style>") for each in sheets]
    for number, element in enumerate(found):
        place = element.start + 1 + len(element.name)
        changes.append((place, place, f' {MARK}="{number}"'))
        style = element.get("style")
        if style and _has_words(text[style.start : style.end]):
            changes.append((style.start, style.end, ""))
    return _changed(text, changes)


def _styles(styled: str) -> dict[int, str]:
    """The style of each element by its number."""
    found: dict[int, str] = {}
    for element in elements(styled):
        number, style = element.get(MARK), element.get("style")
        if number and style:
            found[int(styled[number.start : number.end])] = unescape(styled[style.start : style.end])
    return found


def _changes(text: str, found: list[Element], styles: Mapping[int, str]) -> Iterator[tuple[int, int, str]]:
    for number, element in enumerate(found):
        style = styles.get(number, "")
        if not style:
            continue
        own = element.get("style")
        if own is None:
            place = element.start + 1 + len(element.name)
            yield place, place, f' style="{escape(style)}"'
            continue
        written = text[own.start : own.end]
        if _has_words(written):
            yield own.start, own.start, f"{_for(own.quote, style)}; "
        elif own.quote:
            yield own.start, own.end, _for(own.quote, style)


def _for(quote: str, style: str) -> str:
    text = escape(style, quote=False)
    return text.replace('"', "&quot;") if quote == '"' else text.replace("'", "&#x27;")


def _has_words(text: str) -> bool:
    return any(mark in text for mark in (WORD, "{{", "{%"))


def _changed(text: str, changes: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    last = 0
    for start, end, new in sorted(changes, key=lambda each: each[:2]):
        parts += [text[last:start], new]
        last = end
    return "".join([*parts, text[last:]])


def _what_stays(sheet: Sheet) -> str:
    kept = "\n".join(rule for rule in _rules(_COMMENT.sub("", sheet.rules)) if _stays(rule))
    return f"<style{sheet.attributes}>{kept}</style>" if kept else ""


def _stays(rule: str) -> bool:
    return rule.startswith("@") or ":" in rule.partition("{")[0]


def _rules(sheet: str) -> Iterator[str]:
    """The rules of a sheet, each with its braces."""
    start = depth = 0
    for place, sign in enumerate(sheet):
        depth += (sign == "{") - (sign == "}")
        if depth <= 0 and (sign == "}" or (sign == ";" and depth == 0)):
            if rule := sheet[start : place + 1].strip():
                yield rule
            start, depth = place + 1, 0
