"""Asking the providers that do not tell by themselves what has become of a message.

An adapter says when it wants to ask (``capabilities.poll_after``); each time is a task of its own, and the tasks
end when the delivery has ended. One question serves all deliveries that the provider knows by the same id.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from channels_app import connections, registry
from channels_app.models import Account
from channels_app.registry import UnknownAdapter
from pushcenter.messaging import loop, queue, receipts
from pushcenter.messaging.models import Delivery
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended

ASK = "pushcenter.messaging.polls.ask"
log = logging.getLogger(__name__)


def schedule(ended: Iterable[Ended]) -> None:
    """Plan the first question about each that was sent; commits with the caller's transaction."""
    asked = {
        (each.account_id, each.verdict.provider_id): each.adapter
        for each in ended
        if each.verdict.state is State.SENT
        and each.verdict.provider_id
        and each.account_id
        and _waits(each.adapter)
    }
    for (account_id, provider_id), adapter in asked.items():
        _plan(account_id, provider_id, adapter, turn=0, before=0.0)


def begin(account: Account, provider_id: str) -> None:
    """Plan the first question about a message that was found at its provider."""
    _plan(str(account.pk), provider_id, account.adapter, turn=0, before=0.0)


def ask(account_id: str, provider_id: str, turn: int) -> None:
    """Ask once, apply what the provider says, and plan the next question while something is open."""
    account = Account.objects.filter(pk=UUID(account_id)).first()
    if account is None or not _is_open(account, provider_id):
        return
    try:
        adapter = connections.connect(account)
        reported = loop.submit(adapter.poll(provider_id)).result(adapter.capabilities.timeout)
    except Exception as error:  # the next question may have an answer
        log.warning("the account %s cannot be asked about a message: %r", account, error)
        reported = ()
    receipts.store(account, None, reported)
    if _is_open(account, provider_id):
        waits = _waits(account.adapter)
        _plan(account_id, provider_id, account.adapter, turn=turn + 1, before=waits[turn] if waits else 0.0)


def _is_open(account: Account, provider_id: str) -> bool:
    return Delivery.objects.filter(account=account, provider_id=provider_id, state=State.SENT).exists()


def _plan(account_id: str, provider_id: str, adapter: str, *, turn: int, before: float) -> None:
    waits = _waits(adapter)
    if turn < len(waits):
        at = timezone.now() + timedelta(seconds=waits[turn] - before)
        queue.later(ASK, account_id, provider_id, turn, at=at)


def _waits(adapter: str) -> tuple[float, ...]:
    """Seconds after sending, each longer than the one before."""
    try:
        return registry.adapter(adapter).capabilities.poll_after
    except UnknownAdapter:
        return ()
