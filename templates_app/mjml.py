"""MJML, compiled once when a template is compiled: by MRML, on a text whose tags of the engine are words.

MRML says of most faults that it cannot go on, and not where. So what it stumbles over is looked for before, and told
with its line. Facts: https://documentation.mjml.io, https://github.com/jdrouet/mrml
"""

import re
from collections.abc import Iterable

import mrml

from templates_app.flat import TOKEN, Flat, Part
from templates_app.markup import Element, comments, elements
from templates_app.source import Kind, SourceError

KNOWN = frozenset({
    "mjml", "mj-head", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint", "mj-font", "mj-html-attributes",
    "mj-preview", "mj-style", "mj-title", "mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-raw",
    "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table", "mj-hero", "mj-navbar", "mj-navbar-link",
    "mj-social", "mj-social-element", "mj-accordion", "mj-accordion-element", "mj-accordion-title", "mj-accordion-text",
    "mj-carousel", "mj-carousel-image",
})  # fmt: skip
VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
})  # fmt: skip
#: Elements within each other; the compiler recurses.
DEEPEST = 100
_BEGINNING = re.compile(r"<(mjml|mj-[a-z-]+)[\s/>]")
_DOCUMENT = re.compile(r"<mjml[\s>].*</mjml\s*>", re.DOTALL)
_SIGN = re.compile(r"</(?P<end>[a-zA-Z][^\s/>]*)|<(?![!?])")
_POSITION = re.compile(r"at position (\d+):")
#: No fonts are fetched from others unless the template names them.
_OPTIONS = mrml.RenderOptions(fonts={})
#: Where an element of a snippet can stand, from without.
_PAGE = ("<mjml><mj-body>", "</mj-body></mjml>")
_SECTION = ("<mjml><mj-body><mj-section>", "</mj-section></mj-body></mjml>")
_COLUMN = ("<mjml><mj-body><mj-section><mj-column>", "</mj-column></mj-section></mj-body></mjml>")
_AROUND = {
    **dict.fromkeys(("mj-wrapper", "mj-section", "mj-hero", "mj-raw", "mj-body"), _PAGE),
    **dict.fromkeys(("mj-column", "mj-group"), _SECTION),
}


def is_mjml(text: str) -> bool:
    """Does a text begin as MJML does, but for comments?"""
    return _begins_with(text) == "mjml"


def as_page(text: str) -> str:
    """A snippet of MJML in a page of its own; any other text as it is."""
    name = _begins_with(text)
    if name not in KNOWN or name == "mjml":
        return text
    before, after = _AROUND.get(name, _COLUMN)
    return f"{before}{text}{after}"


def _begins_with(text: str) -> str:
    """The element of MJML with which a text begins; empty where it begins otherwise."""
    position = 0
    for start, end in comments(text):
        if text[position:start].strip():
            break
        position = end
    found = _BEGINNING.match(text[position : position + 100].lstrip())
    return found[1] if found else ""


def compiled(page: Flat) -> str:
    """The HTML of a page, with its words in it; raises :class:`SourceError` with the line."""
    check(page)
    document = _DOCUMENT.search(page.text)
    if document is None:
        raise _error(page, "the end of <mjml> is missing", 0)
    try:
        made = mrml.to_html(document.group(), render_options=_OPTIONS).content
    except Exception as error:
        raise _refused(page, str(error), document.start()) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _error(page, "MJML cannot be compiled", document.start()) from None
    # Around the document, the engine's tags alone are of use.
    before, after = page.text[: document.start()], page.text[document.end() :]
    whole = "".join([*_tags(before), made, *_tags(after)])
    if tag := page.lost(whole):
        raise SourceError(_no_place(tag), line=tag.line, source=tag.name)
    return whole


def _tags(text: str) -> list[str]:
    return [each.group() for each in TOKEN.finditer(text)]


def _refused(page: Flat, sentence: str, start: int) -> SourceError:
    """What the compiler says, with the line of the place that it names."""
    place = _POSITION.search(sentence)
    position = start + (
        len(page.text[start:].encode()[: int(place[1])].decode(errors="ignore")) if place else 0
    )
    if word := TOKEN.match(page.text, position):
        tag = page.tags[int(word["comment"] or word["word"])]
        return SourceError(_no_place(tag), line=tag.line, source=tag.name)
    return _error(page, f"MJML cannot be compiled: {sentence.partition(' in root template')[0]}", position)


def _no_place(tag: Part) -> str:
    what = "a condition or loop" if tag.piece.kind is Kind.BLOCK else tag.text
    return f"MJML has no place for {what} here; put it around whole elements, or into their text"


def check(page: Flat) -> None:
    """Find what the compiler stumbles over, or passes on unread."""
    every = elements(page.text)
    sheets = [(each.end, each.body) for each in every if each.name in {"style", "mj-style"}]
    bare = _without(page.text, [*comments(page.text), *sheets])
    found = [each for each in every if bare[each.start] == "<"]
    for element in found:
        if message := _fault(element):
            raise _error(page, message, element.start)
    ends = {each.start: each.end for each in found}
    bare = _without(bare, ((start + 1, end) for start, end in ends.items()))
    open_ones: list[tuple[str, int]] = []
    names = {each.start: each.name for each in found}
    for sign in _SIGN.finditer(bare):
        place = sign.start()
        if place in names:
            if names[place] not in VOID and page.text[ends[place] - 2] != "/":
                open_ones.append((names[place], place))
            if len(open_ones) > DEEPEST:
                raise _error(page, f"more than {DEEPEST} elements within each other", place)
        elif sign["end"]:
            _close(page, sign["end"].lower(), place, open_ones)
        else:
            raise _error(page, "write &lt; for the sign <", place)
    if open_ones:
        raise _error(page, f"<{open_ones[-1][0]}> is not closed", open_ones[-1][1])


def _close(page: Flat, name: str, place: int, open_ones: list[tuple[str, int]]) -> None:
    if name in VOID:
        return
    if not open_ones:
        raise _error(page, f"</{name}> closes nothing", place)
    opened, at = open_ones.pop()
    if opened != name:
        raise _error(page, f"<{opened}> is not closed", at)


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with blanks in place of what is not to be read."""
    signs = list(text)
    for start, end in spans:
        signs[start:end] = " " * (end - start)
    return "".join(signs)


def _fault(element: Element) -> str:
    if element.name == "mj-include":
        return "include a snippet in place of <mj-include>"
    if element.name.startswith("mj") and element.name not in KNOWN:
        return f"MJML has no element <{element.name}>"
    for attribute in element.attributes:
        if attribute.end > attribute.start and not attribute.quote:
            return f"write the value of {attribute.name} in quotes"
    return ""


def _error(page: Flat, message: str, position: int) -> SourceError:
    name, line = page.at(position)
    return SourceError(message, line=line, source=name)
