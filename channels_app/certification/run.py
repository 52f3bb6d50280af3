"""Certifying one adapter: every rule with a provider of its own, all at the same time."""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress

from django.test.utils import override_settings

from channels_app import http
from channels_app.certification import callbacks, hostile
from channels_app.certification.rules import NO_CONNECTION, Finding, Result, Rule, rules, said
from channels_app.certification.specimens import message, settings_of
from channels_app.contract import Adapter, Specimen, Temporary, settled

#: In place of the seconds that a real provider gets.
PATIENCE_S = 2.0


def certify(kinds: Mapping[str, type[Adapter]]) -> dict[str, list[Finding]]:
    """The findings about each adapter. Loopback is reached, whatever the guard usually permits."""
    with override_settings(OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"]):
        return asyncio.run(_all(kinds))


async def _all(kinds: Mapping[str, type[Adapter]]) -> dict[str, list[Finding]]:
    try:
        found = await asyncio.gather(*(_one(kind) for kind in kinds.values()))
    finally:
        await http.close()
    return dict(zip(kinds, found, strict=True))


async def _one(kind: type[Adapter]) -> list[Finding]:
    specimen = kind.specimen
    if specimen is None:
        return []
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
        result = await _send(kind, specimen, provider.url)
    followed = hostile.REDIRECTED in provider.asked
    return Finding(
        rule=rule.name,
        said="followed it" if followed else said(result),
        holds=rule.holds(result) and not followed and bool(provider.asked),
    )


async def _without_provider(kind: type[Adapter], specimen: Specimen) -> Finding:
    async with hostile.serving(hostile.Provider(specimen.answers)) as provider:
        pass  # the port was just free, and nobody listens there any more
    result = await _send(kind, specimen, provider.url)
    return Finding(rule=NO_CONNECTION.name, said=said(result), holds=NO_CONNECTION.holds(result))


async def _send(kind: type[Adapter], specimen: Specimen, url: str) -> Result:
    """One message through a fresh adapter, as dispatch would send it."""
    adapter = kind(settings_of(kind, specimen, url))
    try:
        return settled(await asyncio.wait_for(adapter.send(message(kind, specimen, url)), PATIENCE_S))
    except TimeoutError:
        return Temporary("no answer in time", code="timeout", maybe_sent=True)
    except Exception as error:
        return settled(error)
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(adapter.close(), PATIENCE_S)
