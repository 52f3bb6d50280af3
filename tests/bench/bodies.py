"""The bodies of the calls: orders of people of the directory."""

import json
from collections.abc import Iterator
from typing import Any

from tests.bench import sizes
from tests.bench.installation import PEOPLE

SINGLE = "/api/v1/messages"
BATCH = f"{SINGLE}/batch"
#: Goes by mail to the simulated provider, which answers at once and costs nothing.
PAID = "order-paid"
#: Goes as a signed webhook to the provider that listens on this machine.
HOOK = "order-hook"


def singles(count: int, template: str = PAID) -> Iterator[bytes]:
    for number in range(count):
        yield json.dumps({"template": template, **_message(number)}).encode()


def batches(count: int, template: str = PAID) -> Iterator[bytes]:
    items = [_message(number) for number in range(sizes.BATCH_ITEMS)]
    for _ in range(count):
        yield json.dumps({"template": template, "items": items}).encode()


def timed(path: str, **fields: Any) -> bytes:
    """One for an address of its own, whose call the provider remembers."""
    params = {"order_no": path, "amount": "249.00"}
    return json.dumps({"template": HOOK, "to": {"url": path}, "params": params, **fields}).encode()


def _message(number: int) -> dict[str, object]:
    return {
        "to": {"recipient": f"u-{number % PEOPLE}"},
        "params": {"order_no": f"SO-{number}", "amount": "249.00"},
        "reference": f"SO-{number}",
    }
