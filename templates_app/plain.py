"""Parameters as a template sees them: plain data, with nothing of Python behind it.

The engine hands attributes and methods of Python objects on to templates. So lists become tuples, which are values of
the engine's own, and objects become :class:`Record`, which has no methods but those that read.
"""

from collections.abc import Callable, Iterator
from typing import Any


class _Reads:
    """A method that looks like nothing where a template asks for a value of that name, such as ``order.items``."""

    __slots__ = ("_method",)

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def __call__(self, *given: Any) -> Any:
        found = self._method(*given)
        return found if found is None or isinstance(found, str | int | float | dict | tuple) else tuple(found)

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __str__(self) -> str:
        return ""


class Record(dict[str, Any]):
    """An object of the parameters."""

    __slots__ = ()

    # What changes a dict is not there, and what reads one hides behind a value.
    pop = popitem = clear = update = setdefault = copy = fromkeys = ""  # type: ignore[assignment]
    items = property(lambda self: _Reads(super().items))
    keys = property(lambda self: _Reads(super().keys))
    values = property(lambda self: _Reads(super().values))
    get = property(lambda self: _Reads(super().get))


def with_nulls(value: Any) -> Any:
    """A parameter for JSON, where null is a value."""
    if isinstance(value, dict):
        return Record({name: with_nulls(inner) for name, inner in value.items()})
    return tuple(map(with_nulls, value)) if isinstance(value, list | tuple) else value


def without_nulls(value: Any) -> Any:
    """A parameter in which null is like left out: nobody is to read ``Dear None``."""
    if isinstance(value, dict):
        return Record(
            {
                name: inner if type(inner) is str else without_nulls(inner)
                for name, inner in value.items()
                if inner is not None
            }
        )
    if isinstance(value, list | tuple):
        return tuple("" if inner is None else without_nulls(inner) for inner in value)
    return value
