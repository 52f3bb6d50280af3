"""The catalogs hold together: compiled as they are written, and with the placeholders of their source."""

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message

from tests.words.catalog import compiled, key, messages, stored
from tests.words.extract import DOMAINS

NAME = re.compile(r"%\((\w+)\)s")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")


def strings(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple | list) else [str(message.string)]


def sources(message: Message) -> list[str]:
    return list(message.id) if isinstance(message.id, tuple | list) else [str(message.id)]


def translated() -> Iterator[Message]:
    for domain in DOMAINS:
        yield from (each for each in messages(stored(domain)) if all(strings(each)))


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_compiled_is_what_was_written(domain: str) -> None:
    written = {key(each): strings(each) for each in messages(stored(domain)) if all(strings(each))}
    assert {key(each): strings(each) for each in messages(compiled(domain))} == written


def test_nothing_is_guessed() -> None:
    assert not [each.id for domain in DOMAINS for each in messages(stored(domain)) if each.fuzzy]


def test_placeholders_are_those_of_the_source() -> None:
    def parts(text: str) -> list[str]:
        return sorted(PLACEHOLDER.findall(text))

    wrong = [
        (source, text)
        for each in translated()
        for text in strings(each)
        for source in [sources(each)[-1]]
        if parts(text) != parts(source)
    ]
    assert wrong == []


def test_what_is_filled_in_can_be() -> None:
    """A lone per cent sign breaks it."""
    for each in translated():
        names = dict.fromkeys(NAME.findall(sources(each)[-1]), 7)
        if names:
            assert all(text % names for text in strings(each)), each.id


def test_a_translation_begins_and_ends_as_its_source_does() -> None:
    """Blanks and line ends; full stops of sentences."""
    ends = re.compile(r"(?<!\.)\.\s*$|。\s*$")
    wrong = [
        (source, text)
        for each in translated()
        if not each.context
        for text in strings(each)
        for source in [sources(each)[-1]]
        if (source.strip() == source) != (text.strip() == text)
        or bool(ends.search(source)) != bool(ends.search(text))
    ]
    assert wrong == []
