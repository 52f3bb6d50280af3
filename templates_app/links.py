"""A variable within a URL is escaped for its place, so that none brings a scheme along that runs or hides something.

Each expression in the ``href`` or ``src`` of HTML, and in a field that is a link as a whole, gets a filter when the
source is compiled: at the beginning one that lets ``https:``, ``mailto:`` and the like pass, and further on one that
writes what is no letter as ``%3A``. What has been encoded before stays as it is.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Literal
from urllib.parse import quote

from templates_app.markup import COVER, Attribute, Element, elements, inside
from templates_app.source import Kind, Piece, SourceError, line_at, pieces

#: The filters, as the engine knows them.
WHOLE, PART, WORD = "link_", "link_part_", "word_"
ATTRIBUTES = frozenset({
    "href", "src", "action", "formaction", "background", "poster", "cite", "longdesc", "data", "xlink:href", "ping",
})  # fmt: skip
#: What a link of a page or a mail may begin with.
WEB = frozenset({"http", "https", "mailto", "tel", "sms"})
#: What not even a link into an app begins with; the app may have schemes of its own.
NEVER = frozenset({"javascript", "vbscript", "data", "file", "blob", "about", "view-source", "filesystem"})
#: What HTML has in place of a link that must not be.
NOWHERE = "#unsafe-link"

Links = Literal["", "web", "app"]
_SCHEME = re.compile(r"[^/?#:]*:")
#: Browsers leave these out of a URL before they look at its scheme.
_DROPPED = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\ufeff]")
_ENCODED = re.compile(r"(?:[\w.~+/-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&#39;": "'", "&amp;": "&"}
_NO_URL = {each: quote(each) for each in " \"'<>`\\^{|}"}
_NO_CSS = {"(": "%28", ")": "%29"}
_UNQUOTED = re.compile(r"[\s\"'=<>`]")
#: What stays as it is, by the place in the URL.
SAFE = {"path": "/", "query": "/", "address": "@+,;", "": "/"}
_STRUCTURE = "/?#[]@!$&*+,;=%"


class LinkError(SourceError):
    """A place within a link where something cannot stand."""


def whole(value: Any, kind: str = "web", *, is_base: bool = False) -> str:
    """A filter: the beginning of a link. ``is_base`` where a colon follows, so that a bare word would be a scheme."""
    text = _DROPPED.sub("", _text(value)).strip()
    for sign, code in _NO_URL.items():
        text = text.replace(sign, code)
    found = _SCHEME.match(text)
    scheme = (
        found.group()[:-1] if found else text if is_base and not re.search(r"[/?#]", text) else ""
    ).lower()
    if kind == "app":
        return "" if scheme in NEVER or text.startswith(":") else text
    if (found or scheme) and scheme not in WEB:
        return "" if kind == "web" else NOWHERE
    if kind == "css":
        for sign, code in _NO_CSS.items():
            text = text.replace(sign, code)
    return text


def part(value: Any, place: str = "") -> str:
    """A filter: something further on in a link, encoded unless it is already.

    What an editor marked as safe, such as the whole of a query, keeps its signs, but cannot become a scheme.
    """
    text = _DROPPED.sub("", _text(value))
    if place == "host":
        return quote(text, safe=_STRUCTURE + ":")
    if hasattr(value, "__html__"):
        return quote(text, safe=_STRUCTURE)
    if "%" in text and _ENCODED.fullmatch(text):
        return text
    return quote(text, safe=SAFE[place])


def word(value: Any) -> Any:
    """A filter: within a tag, but outside of quotes. What an editor marked as safe stays."""
    return value if hasattr(value, "__html__") else _UNQUOTED.sub("", _text(value))


FILTERS: dict[str, Callable[..., Any]] = {WHOLE: whole, PART: part, WORD: word}


def _text(value: Any) -> str:
    if not hasattr(value, "__html__"):
        return "" if value is None else str(value)
    text = str(value)
    for entity, sign in _ENTITIES.items():
        text = text.replace(entity, sign)
    return text


def marked_html(source: str) -> str:
    """An HTML source whose expressions within tags have their filters; raises :class:`LinkError`."""
    marks: list[tuple[Piece, str]] = []
    for element in elements(source):
        marks += _marks(source, element)
    return _with_filters(source, marks)


def marked_link(source: str, kind: Links) -> str:
    """A source that is a link as a whole; raises :class:`LinkError`."""
    within = list(pieces(source))
    _refuse_parts(source, within, "a link")
    return _with_filters(source, _Link(source, kind).marks(within, 0, len(source)))


def _with_filters(source: str, marks: Iterable[tuple[Piece, str]]) -> str:
    parts: list[str] = []
    last = 0
    for piece, name in sorted(marks, key=lambda each: each[0].start):
        if not piece.tokens:
            continue
        begin, end = piece.tokens[0].start, piece.tokens[-1].end
        parts += [source[last:begin], "(", source[begin:end], ")|", name]
        last = end
    return "".join([*parts, source[last:]])


def _marks(source: str, element: Element) -> Iterator[tuple[Piece, str]]:
    within = inside(source, element.start, element.end)
    if all(each.kind is Kind.TEXT for each in within):
        return
    quoted: set[int] = set()
    for attribute in element.attributes:
        held = [each for each in within if each.end > attribute.start and each.start < attribute.end]
        if attribute.quote:
            quoted |= {each.start for each in held}
        # The name may be put together by conditions.
        if not ATTRIBUTES.isdisjoint(attribute.name.split(COVER)):
            _refuse_parts(source, held, attribute.name)
            quoted |= {each.start for each in held}
            yield from _Link(source, "html").marks(held, attribute.start, attribute.end)
        elif attribute.name == "style":
            yield from _in_style(source, attribute, held)
    bare = [each for each in within if each.kind is not Kind.TEXT and each.start not in quoted]
    _refuse_parts(source, bare, "a tag, outside of quotes,")
    yield from ((each, WORD) for each in bare if each.kind is Kind.EXPRESSION)


def _in_style(source: str, attribute: Attribute, held: Sequence[Piece]) -> Iterator[tuple[Piece, str]]:
    for each in held:
        before = source[max(attribute.start, each.start - 20) : each.start]
        if each.kind is Kind.EXPRESSION and re.search(
            r"url\(\s*(?:['\"]|&quot;)?\s*$", before, re.IGNORECASE
        ):
            yield each, f"{WHOLE}('css')"


def _refuse_parts(source: str, within: Iterable[Piece], where: str) -> None:
    # Their text is compiled by itself, where nobody knows that it comes to stand here.
    for each in within:
        if each.name in {"block", "include", "extends"}:
            raise LinkError(
                f"no block, layout or snippet can stand within {where}", line=line_at(source, each.start)
            )


@dataclass(slots=True)
class _Condition:
    """One that is open: what stood before it, and at the ends of those of its branches that are closed."""

    before: str
    ends: list[str] = field(default_factory=list)
    has_else: bool = False


@dataclass(slots=True)
class _Link:
    """One link while it is read. ``before`` is what certainly stands before, each expression as one cover."""

    source: str
    kind: str
    before: str = ""
    open: list[_Condition] = field(default_factory=list)

    def marks(self, within: Iterable[Piece], start: int, end: int) -> Iterator[tuple[Piece, str]]:
        held = [(each, self.source[max(each.start, start) : min(each.end, end)]) for each in within]
        is_base = any(
            each.kind is Kind.TEXT and unescape(text).lstrip().startswith(":") for each, text in held
        )
        for each, text in held:
            if each.kind is Kind.TEXT:
                self.before = (self.before + text).lstrip()
            elif each.kind is Kind.EXPRESSION:
                begins = f"{WHOLE}('{self.kind}', is_base={'true' if is_base else 'false'})"
                yield each, f"{PART}('{self._place()}')" if self.before else begins
                self.before += COVER
            elif each.kind is Kind.BLOCK:
                self._branch(each.name)

    def _branch(self, name: str) -> None:
        if name in {"if", "for"}:
            self.open.append(_Condition(self.before))
        elif name in {"elif", "else"} and self.open:
            condition = self.open[-1]
            condition.ends.append(self.before)
            condition.has_else = condition.has_else or name == "else"
            self.before = condition.before
        elif name in {"endif", "endfor"} and self.open:
            condition = self.open.pop()
            ways = [*condition.ends, self.before, *([] if condition.has_else else [condition.before])]
            # Where one way leaves the link without a beginning, what follows can be its beginning.
            self.before = min(ways, key=len)

    def _place(self) -> str:
        """Where in the URL something stands, after what stands before it."""
        before = self.before
        if "?" in before or "#" in before:
            return "query"
        scheme = re.match(r"([a-z][a-z0-9+.-]*):", before, re.IGNORECASE)
        if scheme and not before.startswith("//", scheme.end()):
            return "address" if scheme[1].lower() in WEB - {"http", "https"} else "path"
        rest = before[scheme.end() if scheme else 0 :]
        return "host" if rest.startswith("//") and "/" not in rest[2:] else "path"
