"""What is wrong with a request, said so that its sender can mend it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: where (a JSON Pointer, RFC 6901), what (a stable code), and a sentence for people."""

    pointer: str
    code: str
    detail: str


class Rejected(Exception):
    """A request that cannot be accepted, with every fault that was found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


def pointer(*steps: object) -> str:
    """A JSON Pointer from its steps, escaped as RFC 6901 demands."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
