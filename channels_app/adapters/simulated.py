"""A provider that reaches nobody and gives every outcome on demand: for test keys, demo, tests, benchmark.

An address can ask for an outcome by its name in ``MAGIC``; else the account's configuration decides, and
without one the delivery succeeds. Nothing here is random.

=================  ============================================================
kind of address    how it names an outcome
=================  ============================================================
``email``          ``bounced@simulator.example``, ``bounced+7@simulator.example``
``phone``          ``+1 NPA 555 01NN`` in any area: NN are the outcome's ``digits``
                   (555-0100 to 555-0199 are kept for fiction, and belong to nobody)
``url``            ``https://simulator.example/bounced``, ``…/bounced/7``
any other          ``simulated:bounced``, ``simulated:bounced:7``
=================  ============================================================
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.contract import (
    Adapter,
    Address,
    Capabilities,
    ChannelError,
    Misconfigured,
    Outcome,
    Outgoing,
    Receipt,
    Refused,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)

DOMAIN = "simulator.example"
PHONE = re.compile(r"\+1\d{3}55501(\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What happens at an address. Times are in seconds."""

    #: The last two digits of the telephone numbers that name it.
    digits: str
    latency: float = 0.0
    error: Callable[..., ChannelError] | None = None
    #: The error comes on the first attempt alone.
    once: bool = False
    #: Reported after sending, each with its delay.
    receipts: tuple[tuple[Outcome, float], ...] = ()
    final: bool = False


DELIVERED = Behaviour(digits="00", final=True)
MAGIC: Mapping[str, Behaviour] = {
    "delivered": DELIVERED,
    # Taken, and nothing is ever heard of it.
    "sent": Behaviour(digits="01"),
    # Taken, and then a receipt says that it did not arrive.
    "bounced": Behaviour(digits="02", receipts=((Outcome.UNDELIVERED, 0.0),)),
    # No such address.
    "unreachable": Behaviour(digits="03", error=Unreachable),
    # The person told the provider that he or she wants nothing more from us.
    "opted_out": Behaviour(digits="04", error=partial(Unreachable, opted_out=True)),
    # The provider will not take this content.
    "refused": Behaviour(digits="05", error=Refused),
    # Too fast at first, then delivered.
    "throttled": Behaviour(digits="06", error=Throttled, once=True, final=True),
    # A fault at first, then delivered.
    "temporary": Behaviour(digits="07", error=Temporary, once=True, final=True),
    # A fault every time.
    "down": Behaviour(digits="08", error=Temporary),
    # No answer at first, so that it may have been sent; then delivered.
    "timeout": Behaviour(digits="09", error=partial(Temporary, maybe_sent=True), once=True, final=True),
    # Taken, and delivered three seconds later.
    "receipt_late": Behaviour(digits="10", receipts=((Outcome.DELIVERED, 3.0),)),
    # Delivered and read.
    "opened": Behaviour(digits="11", receipts=((Outcome.DELIVERED, 0.0), (Outcome.OPENED, 1.0))),
    # The account's credentials are wrong.
    "misconfigured": Behaviour(digits="12", error=Misconfigured),
    # Delivered, but the provider takes two seconds to answer.
    "slow": Behaviour(digits="13", latency=2.0, final=True),
}
BY_DIGITS = {behaviour.digits: name for name, behaviour in MAGIC.items()}


def magic_outcome(address: Address) -> str | None:
    """The outcome in ``MAGIC`` that an address names, if it names one."""
    name = _named_by(address)
    return name if name in MAGIC else None


def _named_by(address: Address) -> str | None:
    match address.kind:
        case "email":
            local, _, domain = address.value.partition("@")
            return local.partition("+")[0].lower() if domain == DOMAIN else None
        case "phone":
            number = PHONE.fullmatch(address.value)
            return BY_DIGITS.get(number[1]) if number else None
        case "url":
            parts = urlsplit(address.value)
            return parts.path.split("/")[1] if parts.hostname == DOMAIN and parts.path else None
    scheme, _, rest = address.value.partition(":")
    return rest.partition(":")[0] if scheme == "simulated" else None


def address_for(kind: str, outcome: str) -> str:
    """The address of a kind that names an outcome in ``MAGIC``."""
    match kind:
        case "email":
            return f"{outcome}@{DOMAIN}"
        case "phone":
            return f"+121255501{MAGIC[outcome].digits}"
        case "url":
            return f"https://{DOMAIN}/{outcome}"
    return f"simulated:{outcome}"


class SimulatedAdapter(Adapter):
    name = "simulated"
    label = _("Simulator")
    channel = None
    capabilities = Capabilities(receipts=True, concurrency=1000)

    class Config(forms.Form):
        outcome = forms.ChoiceField(
            choices=[(name, name) for name in MAGIC],
            initial="delivered",
            label=_("Outcome"),
            help_text=_("For addresses that name none themselves."),
        )
        latency_ms = forms.IntegerField(
            min_value=0, max_value=20_000, initial=0, label=_("Latency (ms)"), help_text=_("Of every call.")
        )
        receipt_delay_ms = forms.IntegerField(
            min_value=0,
            max_value=3_600_000,
            initial=0,
            label=_("Delay of receipts (ms)"),
            help_text=_("Above 0, even plain success is reported by a receipt."),
        )

    async def send(self, message: Outgoing) -> Sent:
        name = magic_outcome(message.address) or self.config.get("outcome") or "delivered"
        behaviour = MAGIC[name]
        latency = behaviour.latency + (self.config.get("latency_ms") or 0) / 1000
        if latency:
            await asyncio.sleep(latency)
        if behaviour.error and (message.attempt == 1 or not behaviour.once):
            raise behaviour.error(f"simulated: {name}", code=name)
        return self._sent(message, name, behaviour)

    def _sent(self, message: Outgoing, name: str, behaviour: Behaviour) -> Sent:
        delay = (self.config.get("receipt_delay_ms") or 0) / 1000
        provider_id = f"simulated-{message.id}"
        if behaviour.final and not delay:
            return Sent(provider_id=provider_id, final=True)
        outcomes = behaviour.receipts or (((Outcome.DELIVERED, 0.0),) if behaviour.final else ())
        now = datetime.now(UTC)
        receipts = tuple(
            Receipt(
                provider_id=provider_id,
                outcome=outcome,
                at=now + timedelta(seconds=after + delay),
                code=name,
                event_id=f"{provider_id}-{outcome}",
            )
            for outcome, after in outcomes
        )
        return Sent(provider_id=provider_id, receipts=receipts)
