"""A client that ``openapi-python-client`` makes of the description sends, reads and cancels."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from pushcenter.messaging.models import Message
from tests import factories

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
NAME = "generated_push_center"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the generated package, which can be imported."""
    folder = tmp_path_factory.mktemp("client")
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")  # it would be formatted, which nobody reads here
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--path", str(DOCUMENT)),
            *("--output-path", str(folder / NAME), "--config", str(config)),
            *("--meta", "none", "--fail-on-warning"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield NAME


@pytest.mark.django_db(transaction=True)
def test_it_sends_reads_and_cancels(generated: str, live_server: LiveServer) -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    secret = factories.key(scopes=["send", "read"])[1]

    def call(name: str, *args: Any, **kwargs: Any) -> Any:
        return importlib.import_module(f"{generated}.api.messages.{name}").sync_detailed(
            *args, client=client, **kwargs
        )

    models = importlib.import_module(f"{generated}.models")
    client = importlib.import_module(generated).AuthenticatedClient(base_url=live_server.url, token=secret)
    request = models.SendRequest.from_dict(
        {
            "template": "order-paid",
            "to": {"recipient": "u-1001"},
            "params": {"order_no": "SO-1"},
            "send_at": (timezone.now() + timedelta(hours=1)).isoformat(),
            "reference": "SO-1",
        }
    )
    with client:
        sent = call("send_message", body=request, idempotency_key="SO-1 paid", x_request_id="from-a-client")
        again = call("send_message", body=request, idempotency_key="SO-1 paid")
        assert (sent.status_code, sent.headers["X-Request-Id"]) == (202, "from-a-client")
        assert again.parsed == sent.parsed
        assert Message.objects.count() == 1

        read = call("read_message", sent.parsed.id).parsed
        assert (read.status.value, read.reference, read.template) == ("pending", "SO-1", "order-paid")
        assert read.params.to_dict() == {"order_no": "SO-1", "amount": "0"}
        assert {delivery.channel for delivery in read.deliveries} == {"inbox", "email"}

        cancelled = call("cancel_message", sent.parsed.id).parsed
        assert cancelled.status.value == "cancelled"
        assert call("read_message", sent.parsed.id).parsed.status.value == "cancelled"

        refused = call("send_message", body=models.SendRequest.from_dict({"template": "x", "to": {}}))
        assert isinstance(refused.parsed, models.Problem)
        assert [fault.pointer for fault in refused.parsed.errors] == ["/to"]
