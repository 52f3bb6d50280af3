"""A source cut into its pieces as the engine cuts it: text, expressions, block tags, comments.

What is done to a source before the engine parses it works on these pieces: bounds, links, parts, MJML.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

#: What an expression is made of. A string that is not closed is taken for signs, and the engine complains of it.
TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<sign>//|\*\*|==|!=|>=|<=|\S)""",
    re.VERBOSE | re.DOTALL,
)
#: Of one tag, in characters. The engine's parser overflows its stack at about three times as many signs.
MAX_TAG = 10_000
#: Of one source; what follows is not looked at.
MAX_TAGS = 2_000
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
_START = re.compile(r"\{[{%#]")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_END_OF_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")


class SourceError(Exception):
    """What keeps a source from being compiled. ``source`` is the engine's name of it."""

    def __init__(self, message: str, *, line: int, source: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.source = source


class Kind(StrEnum):
    TEXT = "text"
    EXPRESSION = "expression"
    BLOCK = "block"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is one of string, number, name, sign."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """From ``start`` to ``end`` of the source; ``tokens`` are what stands within a tag.

    The two tags of ``raw`` are comments, and what stands between them is text.
    """

    kind: Kind
    start: int
    end: int
    tokens: Sequence[Token] = ()

    @property
    def name(self) -> str:
        """What a block tag is called, such as ``if``."""
        return self.tokens[0].text if self.kind is Kind.BLOCK and self.tokens else ""


@lru_cache(maxsize=32)
def pieces(source: str) -> tuple[Piece, ...]:
    """All pieces in their order; a tag that is not closed, or too long, reaches to the end."""
    return tuple(_pieces(source))


def _pieces(source: str) -> Iterator[Piece]:
    position = tags = 0
    while position < len(source):
        found = _START.search(source, position)
        start = found.start() if found else len(source)
        if start > position:
            yield Piece(Kind.TEXT, position, start)
        if found is None:
            return
        tags += 1
        if tags > MAX_TAGS:
            yield Piece(Kind.TEXT, start, len(source))
            return
        if raw := _RAW.match(source, start):
            yield from _raw(source, raw)
            closing = _END_OF_RAW.search(source, raw.end())
            position = closing.end() if closing else len(source)
        else:
            piece = _tag(source, start)
            yield piece
            position = piece.end


def line_at(source: str, position: int) -> int:
    """The line of a position, counted from 1."""
    return source.count("\n", 0, position) + 1


def unquoted(token: Token) -> str:
    """What a string says; names of parts have no escapes in them."""
    return token.text[1:-1]


def _raw(source: str, opening: re.Match[str]) -> Iterator[Piece]:
    yield Piece(Kind.COMMENT, opening.start(), opening.end())
    closing = _END_OF_RAW.search(source, opening.end())
    end = closing.start() if closing else len(source)
    if end > opening.end():
        yield Piece(Kind.TEXT, opening.end(), end)
    if closing:
        yield Piece(Kind.COMMENT, closing.start(), closing.end())


def _tag(source: str, start: int) -> Piece:
    mark = source[start + 1]
    if mark == "#":
        end = source.find("#}", start + 2)
        return Piece(Kind.COMMENT, start, len(source) if end < 0 else end + 2)
    kind, closing = (Kind.EXPRESSION, "}}") if mark == "{" else (Kind.BLOCK, "%}")
    tokens: list[Token] = []
    depth = 0
    position = start + 3 if source[start + 2 : start + 3] in {"-", "+"} else start + 2
    while found := TOKEN.search(source, position):
        at = found.start()
        if at - start > MAX_TAG:
            break
        if not depth and (
            source.startswith(closing, at) or (source[at] in "-+" and source.startswith(closing, at + 1))
        ):
            end = at + 2 if source.startswith(closing, at) else at + 3
            return Piece(kind, start, end, tokens)
        text = found.group()
        depth += (text in OPENING) - (text in CLOSING)
        tokens.append(Token(found.lastgroup or "", text, at, found.end()))
        position = found.end()
    return Piece(kind, start, len(source), tokens)
