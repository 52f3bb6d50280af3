"""Who sends a template is told by whoever knows the messages."""

from datetime import UTC, datetime

import pytest

from templates_app import usage
from templates_app.models import Template
from templates_app.usage import Sender


@pytest.fixture(autouse=True)
def no_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "_sources", [])


def sender(code: str, messages: int) -> Sender:
    return Sender(
        system_code=code,
        system_name=code.title(),
        messages=messages,
        last_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_nobody_is_named_where_nobody_knows() -> None:
    assert usage.senders(Template(code="order-paid")) == []


def test_the_busiest_sender_comes_first_and_a_source_counts_once() -> None:
    def source(template: Template) -> list[Sender]:
        return [sender("crm", 2), sender("shop", 40)]

    usage.register(source)
    usage.register(source)

    assert [each.system_code for each in usage.senders(Template(code="order-paid"))] == ["shop", "crm"]
