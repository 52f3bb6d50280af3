"""What one process changes, another one that sends knows within two seconds, though it holds things in memory."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from django.utils import timezone

from channels_app.models import Account
from pushcenter.access.models import System
from pushcenter.messaging.models import Message
from pushcenter.recipients.models import Category
from templates_app.models import Template, TemplateVersion, Variant
from tests import factories
from tests.access.gateway import MESSAGES, order
from tests.access.server import serving

#: A second until the other process asks what has changed, and one for a machine that does other things too.
SOON = 2.0
ALL_WELL = (202, None)


class Caller:
    """Sends through the other process."""

    def __init__(self, port: int, secret: str) -> None:
        self.line = HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def send(self, **changes: Any) -> tuple[int, Any]:
        self.line.request("POST", MESSAGES, json.dumps(order(**changes)), self.headers)
        with self.line.getresponse() as response:
            return response.status, json.loads(response.read())

    def outcome(self, **changes: Any) -> tuple[int, str | None]:
        """The status, and the code of the first fault."""
        status, answer = self.send(**changes)
        return status, answer["errors"][0]["code"] if answer.get("errors") else answer.get("code")

    def version(self) -> int:
        """The number of the version on which a new message is sent."""
        _, answer = self.send()
        return Message.objects.select_related("version").get(pk=answer["id"]).version.number


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it becomes so in time."""
    until = time.monotonic() + SOON
    while not (holds := condition()) and time.monotonic() < until:
        threading.Event().wait(0.05)
    return holds


@pytest.fixture
def caller(transactional_db: None) -> Iterator[Caller]:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    secret = factories.key()[1]
    with serving() as port:
        found = Caller(port, secret)
        assert found.outcome() == ALL_WELL
        yield found
        found.line.close()


def publish(number: int) -> None:
    """Put another version in the place of the one that is published."""
    template = Template.objects.get()
    old = template.versions.get(state="published")
    new = TemplateVersion.objects.create(template=template, number=number, variables=dict(factories.SCHEMA))
    for channel in ("inbox", "email"):
        Variant.objects.create(version=new, channel=channel, content=dict(factories.CONTENT[channel]))
    TemplateVersion.objects.filter(pk=old.pk).update(state="archived")
    TemplateVersion.objects.filter(pk=new.pk).update(state="published", published_at=timezone.now())


def test_a_change_takes_effect_in_another_process(caller: Caller) -> None:
    assert caller.version() == 1
    publish(2)
    assert soon(lambda: caller.version() == 2), "the new version is not sent"

    TemplateVersion.objects.filter(number=2).update(state="archived")
    assert soon(lambda: caller.outcome() == (422, "template_not_published")), "the old version is still sent"
    TemplateVersion.objects.filter(number=2).update(state="published")
    assert soon(lambda: caller.outcome() == ALL_WELL), "the version is not sent again"

    Template.objects.update(code="order-settled")
    assert soon(lambda: caller.outcome() == (422, "unknown_template")), "the old code is still known"
    assert caller.outcome(template="order-settled") == ALL_WELL
    Template.objects.update(code="order-paid")
    assert soon(lambda: caller.outcome() == ALL_WELL), "the code is not known again"

    System.objects.update(templates=["welcome"])
    assert soon(lambda: caller.outcome() == (403, "template_not_permitted")), "the permission still holds"
    System.objects.update(templates=[])
    assert soon(lambda: caller.outcome() == ALL_WELL), "the permission is not there again"

    Account.objects.update(is_active=False)
    assert soon(lambda: caller.outcome() == (422, "no_usable_channel")), "the accounts still serve"
    Account.objects.update(is_active=True)
    assert soon(lambda: caller.outcome() == ALL_WELL), "the accounts do not serve again"

    Category.objects.create(code="law", name="Law", is_mandatory=True)
    assert caller.outcome(category="law") == (422, "category_not_permitted")
    Category.objects.filter(code="law").update(is_mandatory=False)
    assert soon(lambda: caller.outcome(category="law") == ALL_WELL), "the category is still mandatory"
