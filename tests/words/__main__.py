"""``make messages``: bring the catalogs up to date with what the sources mark, and compile them."""

from tests.words.catalog import main

main()
