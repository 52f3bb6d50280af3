"""A running server does what its description says: every call, by schemathesis, with every check.

What is expected beyond the checks' defaults, and why, stands in schemathesis.toml and fuzzing.py. Every phase runs
each time; to look longer, set ``EXAMPLES`` to a number of examples for each call.
"""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from pushcenter.access.openapi.answers import BATCH_ID, KEY_ID, MESSAGE_ID
from pushcenter.messaging.models import Batch, Delivery
from pushcenter.recipients.models import Group
from tests import factories
from tests.access.server import serving

CONFIG = Path(__file__).with_name("schemathesis.toml")
#: What the server says of itself, as test_schema.py proves.
DESCRIPTION = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
TEXT = {"type": "string"}
VARIABLES = {
    "type": "object",
    "properties": {"order_no": TEXT, "amount": TEXT, "currency": TEXT},
    "required": ["order_no"],
    "additionalProperties": False,
}


@pytest.fixture
def stage(transactional_db: None) -> dict[str, str]:
    """What the examples in the description speak of; the key to call with, and what fuzzing.py is to know."""
    system = factories.system(rate=100_000, burst=100_000)
    for code in ("staff", "vip"):
        Group.objects.create(code=code, name=code)
    factories.category("news")
    for external_id in ("u-1001", "u-1002"):
        factories.recipient(external_id)
    factories.template(schema=VARIABLES)
    factories.template("weekly-digest", schema={"type": "object"})
    factories.accounts("inbox", "email")
    factories.key(system, id=UUID(KEY_ID))
    delivered_message()
    Batch.objects.create(id=UUID(BATCH_ID), system=system, accepted=1)
    spare = Batch.objects.create(system=system, accepted=1)
    row, secret = factories.key(system)
    return {
        "KEY": secret,
        "OWN_KEY": str(row.pk),
        "BATCH": BATCH_ID,
        "BATCH_TO_CANCEL": str(spare.pk),
    }


def delivered_message() -> None:
    """The message of the examples."""
    message = factories.message()
    message.pk, message.reference = UUID(MESSAGE_ID), "SO-20391"
    message.save(force_insert=True)
    now = timezone.now()
    Delivery.objects.update(message=message, state="delivered", sent_at=now, delivered_at=now)


#: Two halves, for two processes.
SENDING = ("--include-tag-regex", "^(messages|batches)$")
OTHERS = ("--exclude-tag-regex", "^(messages|batches)$")


@pytest.mark.timeout(0 if "EXAMPLES" in os.environ else 300)
@pytest.mark.parametrize("which", [SENDING, OTHERS], ids=["sending", "others"])
def test_every_call_is_as_described(
    stage: dict[str, str], which: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A live inbox ends as soon as it has told what there is.
    monkeypatch.setenv("INBOX_STREAM_SECONDS", "0")
    with serving() as port:
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
                *("run", str(DESCRIPTION), "--url", f"http://127.0.0.1:{port}"),
                *("--header", f"Authorization: Bearer {stage['KEY']}"),
                *(("--max-examples", os.environ["EXAMPLES"]) if "EXAMPLES" in os.environ else ()),
                *which,
            ],
            cwd=settings.BASE_DIR,
            env={**os.environ, **stage},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2_000:]
