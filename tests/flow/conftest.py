"""What tests of the flow share."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from django.utils import timezone

from pushcenter.messaging import audit


@pytest.fixture
def the_ledger_balances(db: None) -> Iterator[None]:
    """Whatever a test has done, nothing of it was lost, and the figures are those of the rows."""
    yield
    lines = audit.recount(timezone.now().astimezone(UTC).date(), full=True) or []
    assert [each.differences for each in lines if each.differences] == []


@pytest.fixture
def patient(settings: Any) -> None:
    """A worker that looks about for a moment, in which accounts with a rate get their first tokens."""
    settings.DISPATCH_LINGER_MS = 150
