"""Whatever an adapter or its provider says, its outcome is recorded: a word must not undo a call."""

import pytest

from channels_app.adapters.simulated import SimulatedAdapter
from channels_app.contract import Outcome, Outgoing, Receipt, Refused, Sent, Temporary
from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Attempt, Delivery
from tests import factories
from tests.messaging.test_retry import SAID

FORETOLD = Sent(
    receipts=[Receipt(provider_id="p" * 400 + "\0", outcome=Outcome.DELIVERED, reason="\ud800", event_id="e")]
)


@pytest.mark.django_db
@pytest.mark.parametrize("said", [*SAID, FORETOLD], ids=range(len(SAID) + 1))
def test_an_outcome_is_recorded_in_any_words(
    said: Sent | Temporary | Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(_self: SimulatedAdapter, _message: Outgoing) -> Sent:
        if isinstance(said, Sent):
            return said
        raise said

    monkeypatch.setattr(SimulatedAdapter, "send", send)
    factories.template(channels=["sms"])
    factories.account("sms")
    factories.message(to={"phone": "+8613800138000"})
    assert dispatch.run("normal") == 1
    assert Attempt.objects.count() == 1
    assert Delivery.objects.get().state != "sending"
