"""Nothing is left without a translation. Where this fails: ``make messages``, then write what the catalog lacks."""

import pytest

from tests.words.catalog import is_translated, key, messages, stored
from tests.words.extract import DOMAINS, marked


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_catalog_has_what_the_sources_mark_and_no_more(domain: str) -> None:
    wanted = {key(each) for each in messages(marked(domain))}
    there = {key(each) for each in messages(stored(domain))}
    assert wanted - there == set()
    assert there - wanted == set()


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_string_is_translated(domain: str) -> None:
    assert [each.id for each in messages(stored(domain)) if not is_translated(each)] == []
