"""Taking secrets out of what a provider said, so that people can read it."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

HIDDEN = "•••"
#: Shorter texts would hide half of every page.
MIN_SECRET = 6
#: Of an answer no more than this is shown, in characters.
MAX_SHOWN = 4000
NAMED = re.compile(
    r'("[^"]*(?:token|secret|password|credential|ticket|assertion)[^"]*"\s*:\s*")((?:[^"\\]|\\.)*)',
    re.IGNORECASE,
)


class Redaction:
    """Knows the secrets of one account."""

    def __init__(self, secrets: Mapping[str, Any], *others: str) -> None:
        found = {form for text in [*_texts(secrets.values()), *others] for form in _forms(text)}
        # The longest first: one secret may be part of another.
        self._secrets = sorted((each for each in found if len(each) >= MIN_SECRET), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without secrets: neither the account's own, nor what is named like one in JSON."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return NAMED.sub(rf"\g<1>{HIDDEN}", text)[:MAX_SHOWN]

    def url(self, url: str) -> str:
        """The URL without secrets, and without the values of its query, which often are signatures."""
        parts = urlsplit(url)
        query = "&".join(
            f"{name}={HIDDEN}" for name, _value in parse_qsl(parts.query, keep_blank_values=True)
        )
        return self.text(urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")))


def _texts(values: Iterable[Any]) -> Iterator[str]:
    """Every text within the secrets."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from _texts(value.values())
        elif isinstance(value, list):
            yield from _texts(value)


def _forms(secret: str) -> Iterator[str]:
    """The ways in which a secret may be written, and the telling parts of one that is a URL."""
    yield secret
    yield quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode()
    if "://" in secret:
        parts = urlsplit(secret)
        yield from (segment for segment in parts.path.split("/") if len(segment) >= 2 * MIN_SECRET)
        yield from (value for _name, value in parse_qsl(parts.query))
