"""The record: what was asked for, each delivery of it, each attempt, each receipt, each interaction."""

from pushcenter.messaging.models.alert import Alert, AlertNote, Severity
from pushcenter.messaging.models.batch import Batch, BatchEvent
from pushcenter.messaging.models.brake import Brake, BrakeState
from pushcenter.messaging.models.counts import DailyUse, IdempotentCall, Tally
from pushcenter.messaging.models.history import Attempt, AttemptOutcome, Event
from pushcenter.messaging.models.interaction import Interaction, InteractionKind
from pushcenter.messaging.models.ledger import LedgerDay, LedgerLine
from pushcenter.messaging.models.message import Delivery, Message
from pushcenter.messaging.models.pulse import Pulse
from pushcenter.messaging.models.receipts import CallVerdict, Receipt, ReceiptCall
from pushcenter.messaging.models.resend import Resend
from pushcenter.messaging.models.stop import Stop, StopKind

__all__ = [
    "Alert",
    "AlertNote",
    "Attempt",
    "AttemptOutcome",
    "Batch",
    "BatchEvent",
    "Brake",
    "BrakeState",
    "CallVerdict",
    "DailyUse",
    "Delivery",
    "Event",
    "IdempotentCall",
    "Interaction",
    "InteractionKind",
    "LedgerDay",
    "LedgerLine",
    "Message",
    "Pulse",
    "Receipt",
    "ReceiptCall",
    "Resend",
    "Severity",
    "Stop",
    "StopKind",
    "Tally",
]
