import asyncio
import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from channels_app import http
from channels_app.adapters.http import HttpAdapter
from channels_app.contract import Address, Outgoing
from pushcenter.demo.outside import HOST, receiver_secret
from pushcenter.demo.webhooks import fault_of, new_secret
from tests.demo.receivers import receivers

BODY = '{"type":"order.paid","data":{"note":"<script>alert(1)</script>"}}'


def signed(secret: str, *, message_id: str = "m-1", at: datetime | None = None) -> dict[str, str]:
    """The headers of a call, by the specification's own library."""
    at = at or datetime.now(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, BODY),
    }


def fault(headers: dict[str, str], *, secret: str, body: str = BODY) -> str:
    return fault_of(secret=secret, headers=headers, body=body.encode(), now=time.time())


def test_a_signed_call_is_verified_and_a_forged_one_refused_and_both_are_kept(tmp_path: Path) -> None:
    secret = receiver_secret(tmp_path)
    with receivers(tmp_path) as world:
        body = BODY.encode()
        assert world.page("/webhook", method="POST", body=body, headers=signed(secret)).status == 204
        forged = signed(new_secret(), message_id="m-2")
        assert world.page("/webhook", method="POST", body=body, headers=forged).status == 401
        calls = world.api.get("/api/webhooks").value["webhooks"]
        kept = [(each["number"], each["id"], each["event"], each["verified"]) for each in calls]
        assert kept == [(2, "m-2", "order.paid", False), (1, "m-1", "order.paid", True)]
        assert "refused: no signature fits" in world.page("/").body
        shown = world.page("/webhook/1").body
        assert "verified" in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
        assert "<script>" not in shown


def test_what_the_adapter_signs_is_verified(tmp_path: Path) -> None:
    secret = receiver_secret(tmp_path)
    with receivers(tmp_path) as world:
        address = Address(kind="url", value=f"http://{HOST}:{world.place.http_port}/webhook")
        message = Outgoing(id="d-1", address=address, content={"event": "order.paid", "data": {"n": "你好"}})

        async def send() -> None:
            try:
                await HttpAdapter({"secret": secret}).send(message)
            finally:
                await http.close()

        asyncio.run(send())
        (call,) = world.api.get("/api/webhooks").value["webhooks"]
        assert (call["id"], call["verified"]) == ("d-1", True)


def test_any_of_several_signatures_will_do() -> None:
    secret = new_secret()
    headers = signed(secret)
    headers["webhook-signature"] = f"v1a,xyz v1,AAAA v1,%% {headers['webhook-signature']}"
    assert fault(headers, secret=secret) == ""


@pytest.mark.parametrize("off", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_a_call_from_another_time_is_refused(off: timedelta) -> None:
    secret = new_secret()
    assert "five minutes" in fault(signed(secret, at=datetime.now(UTC) + off), secret=secret)


def test_a_changed_body_is_refused() -> None:
    secret = new_secret()
    assert fault(signed(secret), secret=secret, body=BODY + " ") == "no signature fits"


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_call_without_a_header_is_refused(missing: str) -> None:
    secret = new_secret()
    assert fault({**signed(secret), missing: ""}, secret=secret) == "a webhook header is missing"


@pytest.mark.parametrize("timestamp", ["now", "-1", "1e9", "٣", "9" * 5000])
def test_a_timestamp_that_is_no_number_is_refused(timestamp: str) -> None:
    secret = new_secret()
    refused = fault({**signed(secret), "webhook-timestamp": timestamp}, secret=secret)
    assert refused == "the timestamp is no number of seconds"


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b'"\\ud800"'])
def test_a_body_of_any_kind_can_be_shown(tmp_path: Path, body: bytes) -> None:
    with receivers(tmp_path) as world:
        assert world.page("/webhook", method="POST", body=body).status == 401
        assert world.page("/").status == 200
        assert world.page("/webhook/1").status == 200


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = receiver_secret(tmp_path / "demo")
    assert receiver_secret(tmp_path / "demo") == first
    assert stat.S_IMODE((tmp_path / "demo" / "webhook.secret").stat().st_mode) == 0o600
