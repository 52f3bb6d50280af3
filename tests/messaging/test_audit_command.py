"""``manage.py audit``: a table, what does not fit, and what was acknowledged and is missing."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from pushcenter.ids import uuid7
from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Delivery, Message
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(db: None) -> Message:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    found = factories.message()
    dispatch.run("normal")
    return found


def audit(*arguments: str) -> tuple[int, str]:
    """The exit code and what was printed."""
    out = StringIO()
    try:
        call_command("audit", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_what_fits_is_shown_by_system_and_day(message: Message) -> None:
    code, text = audit()
    head, line, end = text.strip().splitlines()
    assert code == 0
    assert head.split()[:4] == ["day", "system", "messages", "accepted"]
    assert line.split()[1:5] == ["shop", "1", "2", "0"]
    assert line.split()[-1] == "0"
    assert end == "Everything fits."


def test_without_anything_everything_fits() -> None:
    assert audit()[0] == 0


def test_what_does_not_fit_is_named_with_examples(message: Message) -> None:
    Delivery.objects.filter(channel="email").delete()
    code, text = audit("--days", "1")
    assert code == 1
    assert "1 planned deliveries are missing, such as:" in text
    assert f"{message.pk} email" in text


def test_what_was_acknowledged_is_read_back(message: Message, tmp_path: Path) -> None:
    file = tmp_path / "ids"
    file.write_text(f"{message.pk}\n\n{message.pk}\n")
    code, text = audit("--ids", str(file))
    assert code == 0
    assert "1 acknowledged, 0 missing" in text
    assert "deliveries delivered: 2" in text


def test_what_is_missing_is_named(message: Message, tmp_path: Path) -> None:
    gone, file = uuid7(), tmp_path / "ids"
    file.write_text(f"{message.pk}\n{gone}\n")
    code, text = audit("--ids", str(file))
    assert code == 1
    assert "2 acknowledged, 1 missing" in text
    assert f"missing: {gone}" in text


def test_what_is_no_id_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "ids"
    file.write_text("\nnonsense\n")
    with pytest.raises(CommandError, match="Line 2 is no id"):
        audit("--ids", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        audit("--ids", str(tmp_path / "none"))
    with pytest.raises(CommandError, match="from 1 on"):
        audit("--days", "0")
