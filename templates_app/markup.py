"""The HTML of a source: its elements and their attributes, with the places of the engine's tags among them.

The tags are covered with a letter that no HTML has, so that what is left can be read as HTML, at the same positions.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from templates_app.source import Kind, Piece, pieces

#: Stands for each character of a tag; of a private range of Unicode.
COVER = "\ue000"
#: Of one element; what follows belongs to none.
MAX_ATTRIBUTES = 200
_ELEMENT = re.compile(rf"<(?:(?P<comment>!--)|(?P<name>[a-zA-Z{COVER}][^\s/>]*))")
_ATTRIBUTE = re.compile(
    r"""[\s/]*(?P<name>[^\s/>=][^\s/>=]*)
        (?P<given>\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s>"'][^\s>]*)|(?P<none>)))?""",
    re.VERBOSE,
)
#: What stands in these is text until they end.
RAW = frozenset({
    "script", "style", "textarea", "title", "xmp", "noembed", "noframes", "mj-title", "mj-preview", "mj-style",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attribute:
    """``start`` and ``end`` are of its value without the quotes; ``quote`` is empty where there are none."""

    name: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Element:
    """The start tag of an element, from ``start`` to ``end``; ``body`` is where its text ends, if it is raw."""

    name: str
    start: int
    end: int
    attributes: Sequence[Attribute]
    body: int

    def get(self, name: str) -> Attribute | None:
        return next((each for each in self.attributes if each.name == name), None)


def covered(source: str) -> str:
    """The source with every tag covered, as long as before; lines within tags are lost."""
    parts: list[str] = []
    for piece in pieces(source):
        is_text = piece.kind is Kind.TEXT
        parts.append(source[piece.start : piece.end] if is_text else COVER * (piece.end - piece.start))
    return "".join(parts)


def elements(source: str) -> list[Element]:
    """The elements in their order, those within conditional comments included."""
    html = covered(source)
    return list(_elements(html, 0, len(html)))


def comments(html: str) -> list[tuple[int, int]]:
    """From where to where the comments reach; one that is not closed, to the end."""
    found: list[tuple[int, int]] = []
    start = html.find("<!--")
    while start >= 0:
        closing = html.find("-->", start + 4)
        end = len(html) if closing < 0 else closing + 3
        found.append((start, end))
        start = html.find("<!--", end)
    return found


def inside(source: str, start: int, end: int) -> Sequence[Piece]:
    """The pieces between two positions, text that reaches beyond them left as it is."""
    found = pieces(source)
    first = bisect_right(found, start, key=lambda each: each.end)
    return found[first : bisect_left(found, end, key=lambda each: each.start)]


def _elements(html: str, position: int, end: int, *, is_comment: bool = False) -> Iterator[Element]:
    while found := _ELEMENT.search(html, position, end):
        if found["comment"]:
            closing = html.find("-->", found.end(), end)
            position = end if closing < 0 else closing + 3
            # No comment stands within a comment.
            if not is_comment and html.startswith("[if", found.end()):
                yield from _elements(html, found.end(), position, is_comment=True)
            continue
        element = _element(html, found, end)
        yield element
        position = max(element.end, element.body)


def _element(html: str, opening: re.Match[str], end: int) -> Element:
    attributes: list[Attribute] = []
    position = opening.end()
    while len(attributes) < MAX_ATTRIBUTES and (found := _ATTRIBUTE.match(html, position, end)):
        attributes.append(_attribute(found))
        position = found.end()
    closing = html.find(">", position, end)
    position = end if closing < 0 else closing + 1
    name = opening["name"].lower()
    body = position
    if name in RAW:
        ending = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, position, end)
        body = ending.start() if ending else end
    return Element(name, opening.start(), position, attributes, body)


def _attribute(found: re.Match[str]) -> Attribute:
    name = found["name"].strip(COVER).lower()
    for kind, quote in (("double", '"'), ("single", "'"), ("bare", "")):
        if found[kind] is not None:
            return Attribute(name, *found.span(kind), quote)
    return Attribute(name, found.end(), found.end(), "")
