"""A closed loop of callers: each sends its next request when the last one was answered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Answered requests, seconds that they took in all, and the time of each in milliseconds, sorted."""

    answered: int
    seconds: float
    milliseconds: Sequence[float]

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds

    def percentile(self, share: float) -> float:
        return self.milliseconds[min(len(self.milliseconds) - 1, int(share * len(self.milliseconds)))]


def send(url: str, secret: str, *, requests: int, callers: int) -> Load:
    """POST that many single messages; raises where one is not accepted."""
    return asyncio.run(_send(url, secret, requests, callers))


async def _send(url: str, secret: str, requests: int, callers: int) -> Load:
    numbers = iter(range(requests))
    took: list[float] = []
    headers = {"Authorization": f"Bearer {secret}"}
    async with aiohttp.ClientSession(
        headers=headers, connector=aiohttp.TCPConnector(limit=callers)
    ) as session:

        async def caller() -> None:
            for number in numbers:
                body = {
                    "template": "order-paid",
                    "to": {"recipient": "u-1001"},
                    "params": {"order_no": f"SO-{number}", "amount": "249.00"},
                }
                begun = time.perf_counter()
                async with session.post(url, json=body) as answer:
                    if answer.status != 202:
                        raise RuntimeError(f"{answer.status}: {await answer.text()}")
                    await answer.read()
                took.append((time.perf_counter() - begun) * 1000)

        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(caller())
        seconds = time.perf_counter() - begun
    return Load(answered=len(took), seconds=seconds, milliseconds=sorted(took))
