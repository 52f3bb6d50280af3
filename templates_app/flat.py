"""A source with its layouts and snippets put in, as one text whose tags are words, and back again.

MJML and style sheets are about a whole page, and the engine's tags are no part of either. So what the engine would put
together for each message is put together once; every tag becomes a word, or between elements a comment; whatever is
then made of the text, the words become tags again, each of which still tells its line.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from templates_app.markup import elements
from templates_app.parts import ENDINGS
from templates_app.source import Kind, Piece, SourceError, line_at, pieces, unquoted

#: Where a line comes from: the engine's name of a source, and the line there.
Line = tuple[str, int]
WORD = "pcjx"
TOKEN = re.compile(rf'<!--\s*{WORD}(?P<comment>\d+)x\s*-->|{WORD}(?P<word>\d+)x(?:="")?')
#: In all, with layouts and snippets as often as they stand in it.
MAX_TEXT, MAX_PARTS = 1_000_000, 20_000
_BLOCK, _ENDBLOCK = "block", "endblock"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of one of the sources."""

    name: str
    source: str
    piece: Piece

    @property
    def text(self) -> str:
        return self.source[self.piece.start : self.piece.end]

    @property
    def line(self) -> int:
        return line_at(self.source, self.piece.start)


@dataclass(frozen=True, slots=True)
class _Definition:
    """What stands within a block: pieces of a source, by their numbers."""

    name: str
    first: int
    last: int


@dataclass(slots=True)
class Flat:
    """The text, and its tags by their numbers; ``spots`` are the places of all parts in the text."""

    text: str
    tags: Sequence[Part]
    spots: Sequence[tuple[int, Part]]

    def lost(self, made: str) -> Part | None:
        """A tag that is not in what was made of the text, or a block tag that is not in its place."""
        order = [int(each["comment"] or each["word"]) for each in TOKEN.finditer(made)]
        present = set(order)
        for number, tag in enumerate(self.tags):
            if number not in present:
                return tag
        blocks = [number for number in order if self.tags[number].piece.kind is Kind.BLOCK]
        moved = (now for now, then in zip(blocks, sorted(blocks), strict=True) if now != then)
        found = next(moved, None)
        return None if found is None else self.tags[found]

    def at(self, position: int) -> Line:
        """Where a place of the text comes from."""
        start, part = next(each for each in reversed(self.spots) if each[0] <= position)
        if part.piece.kind is not Kind.TEXT:
            return part.name, part.line
        return part.name, part.line + self.text.count("\n", start, position)

    def restored(self, made: str) -> tuple[str, list[Line]]:
        """The engine's template, and where each of its lines comes from.

        A line begins within each tag, where it changes nothing, so that every tag has lines of its own.
        """
        parts: list[str] = []
        lines: list[Line] = [self.at(0)]
        last = 0
        for token in TOKEN.finditer(made):
            between = made[last : token.start()]
            tag = self.tags[int(token["comment"] or token["word"])]
            text = tag.text
            if tag.piece.tokens:
                head = 3 if text[2:3] in {"-", "+"} else 2
                text = f"{text[:head]}\n{text[head:]}"
            parts += [between, text]
            lines += [lines[-1]] * between.count("\n")
            if tag.piece.tokens:
                lines += [(tag.name, tag.line + each) for each in range(text.count("\n"))]
            last = token.end()
        rest = made[last:]
        lines += [lines[-1]] * rest.count("\n")
        return "".join([*parts, rest]), lines


def flat(name: str, sources: Mapping[str, str]) -> Flat:
    """One source with everything that it extends and includes; raises :class:`SourceError`."""
    if any(WORD in source for source in sources.values()):
        raise SourceError(f"the word {WORD} cannot be used here", line=1, source=name)
    parts = list(_limited(name, _Flattening(sources).of(name)))
    tags = [each for each in parts if each.piece.kind is not Kind.TEXT]
    numbers = iter(range(len(tags)))
    words = [each.text if each.piece.kind is Kind.TEXT else f"{WORD}{next(numbers)}x" for each in parts]
    alone = _words_alone("".join(words))
    text: list[str] = []
    spots: list[tuple[int, Part]] = [(0, Part(name, "", Piece(Kind.TEXT, 0, 0)))]
    before = after = 0
    for part, word in zip(parts, words, strict=True):
        is_comment = part.piece.kind not in {Kind.TEXT, Kind.EXPRESSION} and not alone[before]
        text.append(f"<!--{word}-->" if is_comment else word)
        spots.append((after, part))
        before += len(word)
        after += len(text[-1])
    return Flat("".join(text), tags, spots)


def _limited(name: str, parts: Iterator[Part]) -> Iterator[Part]:
    """Without comments, and no more than can be worked on in time: parts can multiply by what they include."""
    length = 0
    for number, part in enumerate(parts):
        length += part.piece.end - part.piece.start
        if length > MAX_TEXT or number > MAX_PARTS:
            raise SourceError("with its layouts and snippets this is too long", line=1, source=name)
        if not part.text.startswith("{#"):
            yield part


def _words_alone(text: str) -> bytearray:
    """Where no comment can stand, by position: within the tags of HTML, and in elements that have text alone."""
    places = bytearray(len(text) + 1)
    for each in elements(text):
        end = max(each.end, each.body)
        places[each.start : end] = b"\1" * (end - each.start)
    return places


@dataclass(slots=True)
class _Flattening:
    sources: Mapping[str, str]
    #: The definitions of blocks that ``super`` leads to, innermost last.
    above: list[list[_Definition]] = field(default_factory=list)

    def of(self, name: str) -> Iterator[Part]:
        chain = self._chain(name)
        for each in chain[:-1]:
            yield from self._prelude(each)
        root = chain[-1]
        yield from self._walk(root, 0, len(pieces(self.sources[root])), chain)

    def _chain(self, name: str) -> list[str]:
        """The source, its layout, the layout of that, and so on."""
        chain = [name]
        while True:
            found = [each for each in pieces(self.sources[chain[-1]]) if each.name == "extends"]
            if not found:
                return chain
            chain.append(unquoted(found[0].tokens[1]) + ENDINGS["html"])

    def _prelude(self, name: str) -> Iterator[Part]:
        """What a source that extends another says outside of its blocks: it can set variables and have macros."""
        source, within = self.sources[name], pieces(self.sources[name])
        index = 0
        while index < len(within):
            piece = within[index]
            last = _last_of(within, index)
            if piece.name in {"set", "macro"}:
                yield from (Part(name, source, each) for each in within[index : last + 1])
            elif piece.kind in {Kind.BLOCK, Kind.EXPRESSION} and piece.name not in {"block", "extends"}:
                message = (
                    "outside of its blocks, what extends a layout can only set variables and have macros"
                )
                raise SourceError(message, line=line_at(source, piece.start), source=name)
            index = last + 1

    def _walk(self, name: str, first: int, end: int, chain: Sequence[str]) -> Iterator[Part]:
        source, within = self.sources[name], pieces(self.sources[name])
        index = first
        while index < end:
            piece = within[index]
            if piece.name == _BLOCK:
                yield from self._block(piece, chain)
                index = _last_of(within, index)
            elif piece.name == "include":
                yield from self._included(piece)
            elif [each.text for each in piece.tokens] == ["super", "(", ")"] and self.above:
                yield from self._super(chain)
            elif piece.name != "extends":
                yield Part(name, source, piece)
            index += 1

    def _block(self, piece: Piece, chain: Sequence[str]) -> Iterator[Part]:
        """The most special definition of a block."""
        called = piece.tokens[1].text
        found = [each for name in chain for each in self._definitions(name, called)]
        self.above.append(found[1:])
        yield from self._walk(found[0].name, found[0].first, found[0].last, chain)
        self.above.pop()

    def _super(self, chain: Sequence[str]) -> Iterator[Part]:
        above = self.above[-1]
        if above:
            self.above.append(above[1:])
            yield from self._walk(above[0].name, above[0].first, above[0].last, chain)
            self.above.pop()

    def _definitions(self, name: str, called: str) -> Iterator[_Definition]:
        within = pieces(self.sources[name])
        for index, piece in enumerate(within):
            if piece.name == _BLOCK and piece.tokens[1].text == called:
                yield _Definition(name, index + 1, _last_of(within, index))

    def _included(self, piece: Piece) -> Iterator[Part]:
        name = unquoted(piece.tokens[1]) + ENDINGS["html"]
        if name in self.sources:
            yield from _Flattening(self.sources).of(name)


def _last_of(within: Sequence[Piece], index: int) -> int:
    """Where a block, macro or set that begins here ends; here, where it has no end of its own."""
    name = within[index].name
    if name not in {"block", "macro", "set"} or (name == "set" and _assigns(within[index])):
        return index
    depth = 0
    for place in range(index, len(within)):
        each = within[place]
        if each.name == name and not (name == "set" and _assigns(each)):
            depth += 1
        elif each.name == f"end{name}":
            depth -= 1
        if depth == 0:
            return place
    return index


def _assigns(piece: Piece) -> bool:
    return any(token.text == "=" for token in piece.tokens)
