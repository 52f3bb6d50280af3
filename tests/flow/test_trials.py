"""Test sends of drafts: through the real pipeline, to oneself or a test group, over a chosen account or simulated."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from channels_app.models import Account
from pushcenter.faults import Rejected
from pushcenter.messaging import dispatch, own_systems, trials
from pushcenter.messaging.models import Delivery
from pushcenter.messaging.trials import Asked
from pushcenter.recipients.models import Group, Preference
from templates_app import publishing
from templates_app.models import Change, TemplateVersion
from tests import factories
from tests.flow.world import mail_sink

pytestmark = pytest.mark.django_db

PARAMS = {"order_no": "SO-1"}


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", "ann@example.com")


@pytest.fixture
def draft(ann: User) -> TemplateVersion:
    live = factories.template().versions.get()
    return publishing.new_draft(template=live.template, by=ann, source=live)


def asked(**fields: Any) -> Asked:
    return Asked(**{"to": [{"email": "ann@example.com"}], "channels": ["email"], "params": PARAMS, **fields})


def smtp(port: int, name: str) -> Account:
    config = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "from_address": "a@example.com",
        "timeout": 5,
    }
    return factories.account("email", "smtp", name=name, config=config)


def test_a_draft_reaches_oneself_and_stays_a_draft(draft: TemplateVersion, ann: User) -> None:
    with mail_sink() as sink:
        smtp(sink.port, "sink")
        reference = trials.send(draft, asked(), by=ann)
        dispatch.run("high")
    [mail] = sink.mails
    assert mail["To"] == "ann@example.com"
    [message] = trials.messages(reference, by=ann)
    assert (message.version.state, message.version.number) == ("trial", draft.number)
    assert message.system.code == own_systems.TESTS
    draft.refresh_from_db()
    assert draft.state == "draft"
    line = Change.objects.latest("id")
    assert (line.kind, line.by, line.detail["messages"]) == ("test_sent", ann, 1)


def test_nobody_else_reads_what_came_of_it(draft: TemplateVersion, ann: User) -> None:
    factories.accounts("email")
    reference = trials.send(draft, asked(), by=ann)
    assert trials.messages(reference, by=User.objects.create_user("bob")) == []


def test_simulated_it_reaches_nobody(draft: TemplateVersion, ann: User) -> None:
    reference = trials.send(draft, asked(is_simulated=True), by=ann)
    dispatch.run("high")
    [message] = trials.messages(reference, by=ann)
    assert message.is_test
    assert message.deliveries.get().state == "delivered"


def test_it_goes_through_the_chosen_account_and_no_other(draft: TemplateVersion, ann: User) -> None:
    with mail_sink() as one, mail_sink() as other:
        smtp(one.port, "one")
        chosen = smtp(other.port, "other")
        Account.objects.filter(name="other").update(priority=9)
        for _ in range(3):
            trials.send(draft, asked(account=chosen), by=ann)
        dispatch.run("high")
        assert (len(one.mails), len(other.mails)) == (0, 3)
        Account.objects.filter(pk=chosen.pk).pause(reason="revoked")
        trials.send(draft, asked(account=chosen), by=ann)
        dispatch.run("high")
        assert (len(one.mails), len(other.mails)) == (0, 3)
    last = Delivery.objects.latest("id")
    assert (last.state, last.code) == ("pending", "no_account")
    assert "chosen for it" in last.reason


def test_a_test_group(draft: TemplateVersion, ann: User) -> None:
    factories.accounts("email")
    group = Group.objects.create(code="testers", name="Testers", is_for_tests=True)
    for number in (1, 2):
        person = factories.recipient(f"t-{number}", {"email": f"t{number}@example.com"})
        person.groups.add(group)
        Preference.objects.create(recipient=person, category=draft.template.category, channel="")
    reference = trials.send(draft, asked(to=trials.people_of(group)), by=ann)
    dispatch.run("high")
    found = trials.messages(reference, by=ann)
    assert [each.deliveries.get().state for each in found] == ["delivered", "delivered"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"params": {}}, "/params/order_no"),
        ({"to": [{"email": "nobody"}]}, "/to/email"),
        ({"to": [{"recipient": "who"}]}, "/to/recipient"),
        ({"channels": ["sms"]}, "/to"),
    ],
)
def test_what_cannot_be_sent_is_named_and_nothing_is_stored(
    draft: TemplateVersion, ann: User, change: dict[str, Any], pointer: str
) -> None:
    factories.accounts("email")
    with pytest.raises(Rejected) as caught:
        trials.send(draft, asked(**change), by=ann)
    assert pointer in [each.pointer for each in caught.value.faults]
    assert not Delivery.objects.exists()
    assert not TemplateVersion.objects.filter(state="trial").exists()
