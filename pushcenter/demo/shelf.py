"""The last few hundred things received, as numbered files that outlive a restart."""

import os
from collections.abc import Iterator
from pathlib import Path

KEPT = 500


class Shelf:
    """Files ``1<suffix>``, ``2<suffix>`` … in one folder, which belongs to one process at a time."""

    def __init__(self, folder: Path, suffix: str, *, limit: int = KEPT) -> None:
        self._folder, self._suffix, self._limit = folder, suffix, limit
        folder.mkdir(parents=True, exist_ok=True)
        self._numbers = sorted(int(path.stem) for path in folder.glob(f"*{suffix}") if path.stem.isdecimal())
        self._last = self._numbers[-1] if self._numbers else 0

    def add(self, content: bytes) -> int:
        """Keep it under the next number, and let go of the oldest where there are too many."""
        self._last += 1
        path = self._path(self._last)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(path)
        self._numbers.append(self._last)
        while len(self._numbers) > self._limit:
            self._path(self._numbers.pop(0)).unlink(missing_ok=True)
        return self._last

    def get(self, number: int) -> bytes | None:
        try:
            return self._path(number).read_bytes()
        except FileNotFoundError:
            return None

    def newest_first(self) -> Iterator[int]:
        return reversed(self._numbers)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}{self._suffix}"
