"""One recipient of one message, as routing sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """``places`` holds an address for each kind, ``muted`` the ``(category, channel)`` pairs that the person does
    not want (an empty channel stands for all), ``left`` what is not wanted at an address, whoever is there, as
    ``(kind, category, channel)``, and ``suppressed`` the reason for each ``(kind, address, channel)``.
    """

    recipient_id: UUID | None = None
    external_id: str = ""
    name: str = ""
    locale: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    muted: frozenset[tuple[str, str]] = frozenset()
    left: frozenset[tuple[str, str, str]] = frozenset()
    suppressed: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    def has_muted(self, category: str, channel: str) -> bool:
        return bool(self.muted) and ((category, channel) in self.muted or (category, "") in self.muted)

    def has_left(self, kind: str, category: str, channel: str) -> bool:
        """Has somebody left this category at the address of this kind?"""
        left = self.left
        return bool(left) and ((kind, category, channel) in left or (kind, category, "") in left)

    def suppression(self, kind: str, value: str, channel: str) -> str:
        """Why this address is not to be used on this channel; empty where it may be."""
        if not self.suppressed:
            return ""
        return self.suppressed.get((kind, value, channel)) or self.suppressed.get((kind, value, ""), "")
