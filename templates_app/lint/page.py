"""HTML with template tags in it, as elements with their lines.

The tags of the template would break a parser of HTML (``<td {% if a > b %}class="x"{% endif %}>``), so that each
stands as one character of a range that nobody writes, with its line ends; attributes give back what was written.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser

from channels_app.mime import readable
from templates_app.source import Kind, Piece, pieces

#: What stands in place of a value, and of a statement or comment.
VALUE, STATEMENT = "\ue000", "\ue001"
#: Elements within each other; what is deeper stands at this depth.
DEEPEST = 200
VOID = frozenset(
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
        "mj-image", "mj-divider", "mj-spacer",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element. A value of the template stands as :data:`VALUE` in its attributes.

    ``text`` is its own, by line; ``says`` is what a link shows in all, with the alternative texts of its images.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    parent: "Element | None" = None
    text: list[tuple[int, str]] = field(default_factory=list)
    says: list[str] = field(default_factory=list)

    def style(self, name: str) -> str:
        """The value of an inline style; empty where there is none."""
        return styles(self.attributes.get("style", "")).get(name, "")

    @property
    def words(self) -> str:
        return " ".join(" ".join(text for _line, text in self.text).split())

    @property
    def said(self) -> str:
        """All that a link shows."""
        return " ".join(" ".join(self.says).split())

    def chain(self) -> list["Element"]:
        """The element and those around it, innermost first."""
        found, each = [self], self.parent
        while each is not None:
            found.append(each)
            each = each.parent
        return found


@dataclass(frozen=True, slots=True)
class Page:
    elements: list[Element]

    def all(self, *tags: str) -> list[Element]:
        return [each for each in self.elements if each.tag in tags]


def protected(source: str) -> str:
    """The source with a character in place of each tag of the template; lines stay where they are."""
    return "".join(_stand_in(source, piece) for piece in pieces(source))


def _stand_in(source: str, piece: Piece) -> str:
    written = source[piece.start : piece.end]
    if piece.kind is Kind.TEXT:
        return written
    return (VALUE if piece.kind is Kind.EXPRESSION else STATEMENT) + "\n" * written.count("\n")


def without_statements(value: str) -> str:
    return value.replace(STATEMENT, "")


@lru_cache(maxsize=256)
def styles(declarations: str) -> dict[str, str]:
    """``{"color": "#fff"}`` of an inline style."""
    pairs = (each.partition(":") for each in declarations.split(";"))
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


@lru_cache(maxsize=64)
def page_of(source: str) -> Page:
    """The elements of a source in their order."""
    parser = _Parser()
    parser.feed(readable(protected(source)))
    parser.close()
    return Page(parser.elements)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self._links = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = self._add(tag, attrs)
        if element.tag not in VOID and len(self._open) < DEEPEST:
            self._open.append(element)
            self._links += element.tag == "a"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place].tag == without_statements(tag):
                self._links -= sum(each.tag == "a" for each in self._open[place:])
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self._say(data)
            line = self.getpos()[0] + len(data[: len(data) - len(data.lstrip())].splitlines()[1:])
            self._open[-1].text.append((line, data))

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> Element:
        names = {
            _name(name): without_statements(value or "") for name, value in reversed(attrs) if _name(name)
        }
        parent = self._open[-1] if self._open else None
        element = Element(without_statements(tag), names, self.getpos()[0], parent)
        self.elements.append(element)
        self._say(names.get("alt", ""))
        return element

    def _say(self, words: str) -> None:
        if self._links and words.strip():
            next(each for each in reversed(self._open) if each.tag == "a").says.append(words)


def _name(name: str) -> str:
    return without_statements(name).replace(VALUE, "")
