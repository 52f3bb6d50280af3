"""Certifying one adapter: every rule with a provider of its own, all at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.test.utils import override_settings

from channels_app import http
from channels_app.certification import callbacks, hostile
from channels_app.certification.rules import NO_CONNECTION, Finding, Result, Rule, rules, said
from channels_app.certification.specimens import message, settings_of
from channels_app.contract import Adapter, Specimen, Temporary, settled

#: How long a provider is waited for that never answers, that never ends its answer, and any other: a busy machine is
#: no hostile provider.
PATIENCE_S: Mapping[hostile.Act | None, float] = {hostile.silence: 1.0, hostile.endless: 5.0}
LONG_PATIENCE_S = 30.0
CLOSING_S = 1.0

Judge = Callable[[type[Adapter], Specimen], Awaitable[list[Finding]]]


def certify(kinds: Mapping[str, type[Adapter]]) -> dict[str, list[Finding]]:
    """The findings about each adapter; none where it brings no specimen."""
    with override_settings(OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"]):
        found = asyncio.run(_each(kinds, _one))
    with override_settings(OUTBOUND_ALLOWED_NETWORKS=[]):
        guarded = asyncio.run(_each(kinds, _without_permission))
    return {
        name: [_conceded(each, kind.specimen) for each in (*found[name], *guarded[name])]
        for name, kind in kinds.items()
    }


def _conceded(finding: Finding, specimen: Specimen | None) -> Finding:
    reason = specimen.concessions.get(finding.rule, "") if specimen else ""
    return replace(finding, holds=None, concession=reason) if finding.holds is False and reason else finding


async def _each(kinds: Mapping[str, type[Adapter]], judge: Judge) -> dict[str, list[Finding]]:
    """All at the same time."""
    brought = {name: (kind, kind.specimen) for name, kind in kinds.items() if kind.specimen}
    try:
        found = await asyncio.gather(*(judge(*each) for each in brought.values()))
    finally:
        await http.close()
    return {name: [] for name in kinds} | dict(zip(brought, found, strict=True))


async def _one(kind: type[Adapter], specimen: Specimen) -> list[Finding]:
    path = await _path_of_sending(kind, specimen)
    works: list[Awaitable[Finding]] = [_play(kind, specimen, rule, path) for rule in rules(specimen)]
    findings = await asyncio.gather(*works, _without_provider(kind, specimen))
    return [*findings, *callbacks.findings(kind, specimen)]


async def _path_of_sending(kind: type[Adapter], specimen: Specimen) -> str:
    """The last path that is asked for when all is well: tokens come before it."""
    async with hostile.serving(hostile.Provider(specimen.answers)) as provider:
        await _send(kind, specimen, provider.url)
    return provider.asked[-1] if provider.asked else ""


async def _play(kind: type[Adapter], specimen: Specimen, rule: Rule, path: str) -> Finding:
    if not rule.applies(specimen):
        return Finding(rule=rule.name, said="", holds=None)
    provider = hostile.Provider(specimen.answers, path=path, act=rule.act)
    async with hostile.serving(provider):
        patience = PATIENCE_S.get(rule.act, LONG_PATIENCE_S)
        result = await _send(kind, specimen, provider.url, until=_over(provider, patience))
    followed = hostile.REDIRECTED in provider.asked
    return Finding(
        rule=rule.name,
        said="followed it" if followed else said(result),
        holds=rule.holds(result) and not followed and provider.reached.is_set(),
    )


async def _over(provider: hostile.Provider, patience: float) -> None:
    """Patience with a provider begins when it has been asked: until then it is our own machine that is slow."""
    await provider.reached.wait()
    await asyncio.sleep(patience)


async def _without_provider(kind: type[Adapter], specimen: Specimen) -> Finding:
    async with hostile.serving(hostile.Provider(specimen.answers)) as provider:
        pass  # the port was just free, and nobody listens there any more
    result = await _send(kind, specimen, provider.url)
    return Finding(rule=NO_CONNECTION.name, said=said(result), holds=NO_CONNECTION.holds(result))


async def _without_permission(kind: type[Adapter], specimen: Specimen) -> list[Finding]:
    """A URL that somebody has set leads into a network of ours: nothing is to arrive there."""
    provider = hostile.Provider(specimen.answers)
    async with hostile.serving(provider):
        result = await _send(kind, specimen, provider.url)
    return [Finding(rule="URL of a private network", said=said(result), holds=not provider.asked)]


async def _send(
    kind: type[Adapter], specimen: Specimen, url: str, *, until: Coroutine[Any, Any, None] | None = None
) -> Result:
    """One message through a fresh adapter, as dispatch would send it, given up when ``until`` is over."""
    adapter = kind(settings_of(kind, specimen, url))
    sending = asyncio.ensure_future(adapter.send(message(kind, specimen, url)))
    giving_up = asyncio.ensure_future(until or asyncio.sleep(LONG_PATIENCE_S))
    try:
        await asyncio.wait({sending, giving_up}, timeout=LONG_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            return Temporary("no answer in time", code="timeout", maybe_sent=True)
        return settled(sending.exception() or sending.result())
    finally:
        for each in (sending, giving_up):
            each.cancel()
        await asyncio.gather(sending, giving_up, return_exceptions=True)
        with suppress(TimeoutError):  # a thread may still be waiting for its answer
            await asyncio.wait_for(adapter.close(), CLOSING_S)
