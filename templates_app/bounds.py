"""What a source may do, beyond what the engine's fuel bounds: checked and marked before the engine parses it.

Fuel pays for steps, for text and for what is copied. It does not pay for lists that hold a list twice, and those a
list twice: thirty such steps make a value that takes for ever to print or to compare. So a list is never made from a
list step by step: loops cannot carry one on (a namespace holds text and numbers), nothing calls itself, ``+`` and
``*`` take no lists, and how far the lists that a source writes out can multiply is bounded. None of it is missed in a
message. Chains of operators that would overflow the stack of the engine's parser are refused by their length.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from templates_app.source import (
    CLOSING,
    MAX_TAG,
    MAX_TAGS,
    OPENING,
    Kind,
    Piece,
    SourceError,
    Token,
    line_at,
    pieces,
)

MAX_SOURCE = 1_000_000
MAX_ELIF = 500
#: Values that are not constant, within the lists of one tag.
MAX_LISTED = 200
#: How often a value can be repeated by lists within lists.
MAX_MULTIPLE = 4096
MAX_CONSTANT = 10_000
MAX_INDENT = 16

FUNCTIONS = frozenset({"range", "namespace", "super", "caller"})
METHODS = frozenset({
    "capitalize", "count", "cycle", "changed", "endswith", "find", "get", "isalnum", "isalpha",
    "isascii", "isdigit", "islower", "isnumeric", "isspace", "isupper", "items", "join", "keys",
    "lower", "lstrip", "replace", "rfind", "rstrip", "split", "splitlines", "startswith", "strip",
    "title", "upper", "values",
})  # fmt: skip
#: They are known to the engine, and each of them can multiply or show what is not for a message.
REMOVED_FILTERS = ("zip", "chain")
REMOVED_FUNCTIONS = ("dict", "debug", "cycler", "joiner", "lipsum")
#: Filters that repeat what they are given, so that only constants are given to them.
CONSTANT_FILTERS = frozenset({"map", "batch", "slice", "tojson"})
#: What a filter named in ``map`` must not be.
NOT_MAPPED = frozenset({"tojson", "batch", "slice", "map", "zip", "chain", "default", "d"})
KEYWORDS = frozenset({
    "and", "or", "not", "in", "is", "if", "else", "elif", "for", "set", "with", "filter", "do", "block",
    "macro", "call", "include", "extends",
})  # fmt: skip
CONSTANTS = frozenset(["true", "false", "none", "True", "False", "None"])
#: The filter that refuses a list; with the number of its source and a line, for the error.
PLAIN = "plain_"


class OutOfBounds(SourceError):
    """A source that may not do what it does."""


class NotPlain(ValueError):
    """A list stands where text or a number has to."""

    def __init__(self, number: int, line: int) -> None:
        super().__init__(
            "a list cannot be added, multiplied or kept in a namespace; only text and numbers can"
        )
        self.number = number
        self.line = line


def plain(value: Any, number: int = 0, line: int = 0) -> Any:
    """The filter ``PLAIN``."""
    if value is None or isinstance(value, str | int | float):
        return value
    raise NotPlain(number, line)


def bounded(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources of one engine, checked and marked; lines stay as they are. Raises :class:`OutOfBounds`."""
    readers = {name: _Reader(name, number, source) for number, (name, source) in enumerate(sources.items())}
    assigned = frozenset(name for reader in readers.values() for name in reader.assigned())
    for reader in readers.values():
        reader.check(assigned)
    weight = sum(reader.weight for reader in readers.values())
    repeats = (1 + sum(reader.repeats for reader in readers.values())) ** 2
    if weight * repeats > math.log2(MAX_MULTIPLE):
        heaviest = max(readers.values(), key=lambda reader: reader.weight)
        heaviest.refuse("lists are put into lists too often", heaviest.pieces[0])
    return {name: reader.marked() for name, reader in readers.items()}


def check_size(source: str, name: str = "") -> None:
    """Refuse what the engine's parser could not read; raises :class:`OutOfBounds`."""
    if len(source) > MAX_SOURCE:
        raise OutOfBounds(f"this is longer than {MAX_SOURCE:,} characters", source=name, line=1)
    tags = branches = 0
    for piece in pieces(source):
        tags += piece.kind is not Kind.TEXT
        branches += piece.name == "elif"
        if message := _too_much(piece, tags, branches):
            raise OutOfBounds(message, source=name, line=line_at(source, piece.start))


def _too_much(piece: Piece, tags: int, branches: int) -> str:
    if piece.tokens and piece.end - piece.start > MAX_TAG:
        return f"a tag is longer than {MAX_TAG:,} characters"
    if tags >= MAX_TAGS:
        return f"this has {MAX_TAGS:,} tags or more"
    return f"more than {MAX_ELIF} branches" if branches > MAX_ELIF else ""


@dataclass(slots=True)
class _Reader:
    """One source while it is checked. ``inserts`` are texts to be put in, by position."""

    name: str
    number: int
    source: str
    pieces: list[Piece] = field(init=False)
    macros: dict[str, set[str]] = field(init=False)
    inserts: list[tuple[int, str]] = field(default_factory=list)
    weight: float = 0.0
    repeats: int = 0

    def __post_init__(self) -> None:
        self.pieces = [each for each in pieces(self.source) if each.tokens]
        self.macros = {
            each.tokens[1].text: set()
            for each in self.pieces
            if each.name == "macro" and len(each.tokens) > 1
        }

    def assigned(self) -> Iterator[str]:
        """The names that this source gives a value to."""
        for piece in self.pieces:
            yield from _assigned(piece)

    def check(self, assigned: frozenset[str]) -> None:
        """Every rule, tag by tag."""
        within: list[str] = []
        for piece in self.pieces:
            self._follow_macros(piece, within)
            self._refuse_by_name(piece)
            self._check_calls(piece)
            self._check_filters(piece)
            self._weigh(piece, assigned)
            # Operators first: where both end, what is added is looked at before what is kept.
            self._mark_operators(piece)
            self._mark_namespaces(piece)
        if circle := _circle(self.macros):
            self.refuse(f"the macro {circle} calls itself", self.pieces[0])
        self.repeats = max(0, self.repeats - sum(piece.name == "block" for piece in self.pieces))
        included = [
            token.text for piece in self.pieces if piece.name == "include" for token in piece.tokens[1:2]
        ]
        self.repeats += len(included) - len(set(included))

    def marked(self) -> str:
        """The source with its marks."""
        parts: list[str] = []
        last = 0
        for position, text in sorted(self.inserts, key=lambda each: each[0]):
            parts += [self.source[last:position], text]
            last = position
        return "".join([*parts, self.source[last:]])

    def refuse(self, message: str, at: Piece | Token) -> None:
        raise OutOfBounds(message, source=self.name, line=line_at(self.source, at.start))

    def _refuse_by_name(self, piece: Piece) -> None:
        tokens = piece.tokens
        if piece.name in {"import", "from"}:
            self.refuse(
                "macros of other templates cannot be imported; include a snippet in their place", piece
            )
        if piece.name == "for" and tokens[-1].text == "recursive":
            self.refuse("a loop cannot call itself", piece)
        if piece.name == "call" and len(tokens) > 1 and tokens[1].text == "(":
            self.refuse("a call block takes no variables", piece)
        for token, after in pairwise(tokens):
            if token.text == "self" and token.kind == "name" and after.text == ".":
                self.refuse("a block cannot be shown a second time; set a variable and show that", token)

    def _follow_macros(self, piece: Piece, within: list[str]) -> None:
        """Which macro uses which; ``within`` are the open ones."""
        if piece.name == "macro" and len(piece.tokens) > 1:
            within.append(piece.tokens[1].text)
            return
        if piece.name == "endmacro" and within:
            within.pop()
            return
        for index, token in enumerate(piece.tokens):
            if token.kind != "name" or token.text not in self.macros or _follows(piece.tokens, index, "."):
                continue
            if not _precedes(piece.tokens, index, "("):
                self.refuse(f"the macro {token.text} can only be called: {token.text}()", token)
            for macro in within:
                self.macros[macro].add(token.text)

    def _check_calls(self, piece: Piece) -> None:
        tokens = piece.tokens
        if piece.name in {"macro", "block", "extends", "include"}:
            return
        for index, token in enumerate(tokens):
            if token.text != "(" or index == 0:
                continue
            before = tokens[index - 1]
            if before.text in CLOSING or before.kind in {"string", "number"}:
                self.refuse("only a function or a macro can be called", token)
            if before.kind == "name" and before.text not in KEYWORDS:
                self._check_call(tokens, index - 1)

    def _check_call(self, tokens: Sequence[Token], index: int) -> None:
        called = tokens[index]
        before = tokens[index - 1].text if index else ""
        if before == ".":
            if called.text not in METHODS and not _is_dotted_filter(tokens, index):
                self.refuse(f"there is no method {called.text}", called)
        elif before in {"|", "is", "not", "filter"}:
            return
        elif called.text not in FUNCTIONS and called.text not in self.macros:
            self.refuse(f"there is no function {called.text}", called)
        elif called.text == "super":
            self.repeats += 1
        elif called.text == "caller" and tokens[index + 2 : index + 3] and tokens[index + 2].text != ")":
            self.refuse("caller takes no values", called)

    def _check_filters(self, piece: Piece) -> None:
        tokens = piece.tokens
        for index, token in enumerate(tokens):
            is_filter = _follows(tokens, index, "|") or (index == 1 and piece.name == "filter")
            if not is_filter or token.text not in CONSTANT_FILTERS or not _precedes(tokens, index, "("):
                continue
            arguments = tokens[index + 2 : _closing(tokens, index + 1)]
            most = MAX_INDENT if token.text == "tojson" else MAX_CONSTANT
            if not all(_is_constant(arguments, place, most) for place in range(len(arguments))):
                self.refuse(f"the filter {token.text} takes constants alone here, none above {most:,}", token)
            if token.text == "map" and any(
                each.kind == "string" and each.text[1:-1] in NOT_MAPPED
                for place, each in enumerate(arguments)
                if not _follows(arguments, place, "=")
            ):
                self.refuse("this filter cannot be mapped", token)

    def _weigh(self, piece: Piece, assigned: frozenset[str]) -> None:
        """How much larger the lists of this tag can make a value."""
        listed = 0
        keeps = piece.kind is Kind.BLOCK and piece.name not in {"if", "elif"}
        for elements in (*_lists(piece.tokens), *_bare_list(piece)):
            varying = [each for each in elements if any(_varies(each, place) for place in range(len(each)))]
            listed += len(varying)
            carried = [
                each
                for each in varying
                if keeps or any(token.kind == "name" and token.text in assigned for token in each)
            ]
            if carried:
                self.weight += math.log2(len(carried))
        if listed > MAX_LISTED:
            self.refuse(f"more than {MAX_LISTED} values in the lists of one tag", piece)

    def _mark_namespaces(self, piece: Piece) -> None:
        tokens = piece.tokens
        for index, token in enumerate(tokens):
            if token.text != "namespace" or token.kind != "name" or _follows(tokens, index, "."):
                continue
            if not _precedes(tokens, index, "("):
                self.refuse("namespace can only be called: namespace(total=0)", token)
            self._mark_arguments(tokens[index + 2 : _closing(tokens, index + 1)])
        if piece.name == "set":
            self._mark_attribute(piece)

    def _mark_arguments(self, arguments: Sequence[Token]) -> None:
        for argument in _split(arguments, ","):
            if len(argument) < 3 or argument[1].text != "=":
                if argument:
                    self.refuse("name what a namespace holds: namespace(total=0)", argument[0])
                continue
            self._wrap(argument[2:])

    def _mark_attribute(self, piece: Piece) -> None:
        tokens = piece.tokens
        equals = next((place for place, each in enumerate(tokens) if each.text == "="), len(tokens))
        targets = tokens[1:equals]
        if not any(each.text == "." for each in targets):
            return
        if any(each.text in {",", "("} for each in targets):
            self.refuse("set one attribute of a namespace at a time", piece)
        if tokens[equals + 1 :]:
            self._wrap(tokens[equals + 1 :])

    def _wrap(self, tokens: Sequence[Token]) -> None:
        self.inserts.append((tokens[0].start, "("))
        self.inserts.append((tokens[-1].end, f"){self._mark(tokens[0])}"))

    def _mark_operators(self, piece: Piece) -> None:
        tokens = piece.tokens
        ends: set[int] = set()
        for index, token in enumerate(tokens):
            if token.text in {"+", "*"} and index and _ends_operand(tokens[index - 1]):
                ends |= {index - 1, _operand_end(tokens, index + 1)}
        self.inserts += [(tokens[index].end, self._mark(tokens[index])) for index in sorted(ends)]

    def _mark(self, token: Token) -> str:
        return f"|{PLAIN}({self.number},{line_at(self.source, token.start)})"


def _assigned(piece: Piece) -> Iterator[str]:
    tokens = piece.tokens
    if piece.name in {"set", "with"}:
        for index, token in enumerate(tokens[1:], start=1):
            if token.kind == "name" and not _follows(tokens, index, "."):
                # With is a list of assignments; the names on their right sides do no harm here.
                yield token.text
            if token.text == "=" and piece.name == "set":
                return
    elif piece.name == "for":
        for token in tokens[1:]:
            if token.text == "in":
                return
            if token.kind == "name":
                yield token.text
    elif piece.name == "macro":
        yield from (token.text for token in tokens[2:] if token.kind == "name")


def _follows(tokens: Sequence[Token], index: int, sign: str) -> bool:
    return index > 0 and tokens[index - 1].text == sign


def _precedes(tokens: Sequence[Token], index: int, sign: str) -> bool:
    return index + 1 < len(tokens) and tokens[index + 1].text == sign


def _is_dotted_filter(tokens: Sequence[Token], index: int) -> bool:
    """Names of filters and tests may have points in them; the engine has none, and says so."""
    while index >= 2 and tokens[index - 1].text == ".":
        index -= 2
    return index > 0 and tokens[index - 1].text in {"|", "is"}


def _closing(tokens: Sequence[Token], opening: int) -> int:
    """Where the bracket closes that opens here."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += (tokens[index].text in OPENING) - (tokens[index].text in CLOSING)
        if depth == 0:
            return index
    return len(tokens)


def _split(tokens: Sequence[Token], sign: str) -> Iterator[Sequence[Token]]:
    """What stands between the signs, brackets left whole."""
    depth = start = 0
    for index, token in enumerate(tokens):
        depth += (token.text in OPENING) - (token.text in CLOSING)
        if token.text == sign and depth == 0:
            yield tokens[start:index]
            start = index + 1
    yield tokens[start:]


def _is_constant(tokens: Sequence[Token], index: int, most: int) -> bool:
    token = tokens[index]
    if token.kind == "number":
        return len(token.text) <= len(str(most)) + 1 and float(token.text.replace("_", "")) <= most
    if token.kind == "name":
        return token.text in CONSTANTS or _precedes(tokens, index, "=")
    return token.kind == "string" or token.text in {",", "=", "-"}


def _varies(tokens: Sequence[Token], index: int) -> bool:
    token = tokens[index]
    return token.kind == "name" and token.text not in CONSTANTS and not _follows(tokens, index, ".")


def _ends_operand(token: Token) -> bool:
    if token.kind == "name":
        return token.text not in KEYWORDS
    return token.kind in {"string", "number"} or token.text in CLOSING


def _operand_end(tokens: Sequence[Token], index: int) -> int:
    """The last token of the operand that begins here, with its attributes, calls and filters."""
    while index < len(tokens) - 1 and tokens[index].text in {"-", "not"}:
        index += 1
    if index >= len(tokens):
        return len(tokens) - 1
    if tokens[index].text in OPENING:
        index = min(_closing(tokens, index), len(tokens) - 1)
    while index + 1 < len(tokens):
        after = tokens[index + 1]
        if after.text in {".", "|"} and index + 2 < len(tokens):
            index += 2
        elif after.text in {"(", "["}:
            index = min(_closing(tokens, index + 1), len(tokens) - 1)
        elif after.kind == "string" and tokens[index].kind == "string":
            index += 1
        else:
            break
    return index


def _lists(tokens: Sequence[Token]) -> Iterator[list[Sequence[Token]]]:
    """The elements of each list, tuple and map that is written out."""
    for index, token in enumerate(tokens):
        if token.text not in OPENING or (index and _ends_operand(tokens[index - 1])):
            continue
        elements = [each for each in _split(tokens[index + 1 : _closing(tokens, index)], ",") if each]
        if token.text != "(" or len(elements) > 1:
            yield elements


def _bare_list(piece: Piece) -> Iterator[list[Sequence[Token]]]:
    """A tuple without brackets, as in ``{% set pair = a, b %}``."""
    if piece.name not in {"", "set", "for", "do"}:
        return
    signs = [token.text for token in piece.tokens]
    starts = [signs.index(sign) + 1 for sign in ("=", "in") if sign in signs and piece.name]
    elements = [each for each in _split(piece.tokens[min(starts, default=0) :], ",") if each]
    if len(elements) > 1:
        yield elements


def _circle(uses: Mapping[str, set[str]]) -> str:
    """A macro that comes to call itself; empty where none does."""
    for name in uses:
        seen: set[str] = set()
        ahead = set(uses[name])
        while ahead:
            each = ahead.pop()
            if each == name:
                return name
            if each not in seen:
                seen.add(each)
                ahead |= uses.get(each, set())
    return ""
