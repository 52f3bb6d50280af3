"""Who takes part: a system with a key, templates for each way of dealing with doubt, and accounts at the provider."""

import base64
import json
import os
import secrets
from pathlib import Path

from tests.faults import hasty
from tests.faults.load import SMS, SMS_ONCE, WEBHOOK
from tests.faults.plan import Plan

KEYS = {
    "SECRET_KEY": secrets.token_urlsafe(48),
    "FIELD_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
}
WEBHOOK_SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
WITHOUT_LIMIT = 1_000_000


def enter(plan: Plan, data: Path, *, provider_port: int) -> str:
    """Make the tables and fill them, in the database that the environment names; returns the secret of a key."""
    if plan.hasty:
        plug_in = data / "plugins"
        hasty.install(plug_in)
        os.environ["PYTHONPATH"] = os.pathsep.join([os.environ["PYTHONPATH"], str(plug_in)])
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    try:
        return _fill(plan, provider_port)
    finally:
        connections.close_all()


def _fill(plan: Plan, provider_port: int) -> str:
    from templates_app.models import DoubtPolicy
    from tests import factories

    factories.template(WEBHOOK, ["webhook"])
    factories.template(SMS, ["sms"], doubt_policy=DoubtPolicy.RESEND)
    factories.template(SMS_ONCE, ["sms"], doubt_policy=DoubtPolicy.HOLD)
    kind = "hasty_" if plan.hasty else "http_"
    factories.account(
        "webhook",
        "hasty_webhook" if plan.hasty else "http",
        config={"secret": WEBHOOK_SECRET, "timeout_s": plan.call_timeout},
    )
    # Two accounts share the load, so that a repetition may take the other one.
    for name in ("one", "two"):
        config = {
            "url": f"http://127.0.0.1:{provider_port}/sms/{name}",
            "body": json.dumps({"id": "{id}", "to": "{to}", "text": "{text}"}),
            "id_path": "id",
            "timeout_s": plan.call_timeout,
        }
        factories.account("sms", f"{kind}sms", name=f"sms {name}", config=config)
    system = factories.system(rate=WITHOUT_LIMIT, burst=WITHOUT_LIMIT)
    return factories.key(system)[1]
