"""Whether a name is another one, spelt wrongly."""

import difflib
import re
from collections.abc import Collection

#: How alike two names have to be; less where nobody uses the other one, so that it waits for its use.
ALIKE, ALIKE_TO_IDLE = 0.88, 0.8
_COUNT = re.compile(r"\d+|s\b|s(?=_)")


def meant(name: str, known: Collection[str], *, idle: Collection[str] = ()) -> str:
    """The known name that is surely meant; empty where it may well be one of its own.

    ``line_1`` and ``line_2``, ``item`` and ``items`` are two names each, however alike they are.
    """
    others = [each for each in known if _COUNT.sub("", each) != _COUNT.sub("", name)]
    if turned := next((each for each in others if sorted(each) == sorted(name)), ""):
        return turned
    waiting = [each for each in others if each in idle]
    return nearest(name, others, alike=ALIKE) or nearest(name, waiting, alike=ALIKE_TO_IDLE)


def nearest(name: str, known: Collection[str], *, alike: float = 0.6) -> str:
    """The known name that looks most like it, of those that are so much alike (0 to 1); empty where none is."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=alike)
    return found[0] if found else ""
