"""Which systems sent a template in the last 30 days."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics_app.models import HourlyStat
from pushcenter.messaging.models import Message
from templates_app.models import Template
from templates_app.usage import senders
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def template() -> Template:
    factories.accounts("email", "inbox")
    factories.recipient()
    return factories.template()


def told(template: Template) -> list[tuple[str, int]]:
    return [(each.system_name, each.messages) for each in senders(template)]


def test_messages_are_counted_not_deliveries_and_those_of_a_minute_ago_too(template: Template) -> None:
    erp = factories.caller(system_id=factories.system("erp", name="ERP").pk)
    for caller in (erp, factories.caller(), factories.caller(), factories.caller(is_test=True)):
        last = factories.message(caller=caller)
    assert last.deliveries.count() == 2
    assert told(template) == [("Shop", 2), ("ERP", 1)]
    newest = Message.objects.filter(is_test=False).latest("id")
    assert senders(template)[0].last_at == newest.accepted_at


def test_of_a_system_that_sent_long_before_the_newest_messages_the_hour_is_told(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics_app.senders.LOOKED_AT", 1)
    factories.message(caller=factories.caller(system_id=factories.system("erp").pk))
    factories.message()
    by_code = {each.system_code: each.last_at for each in senders(template)}
    assert by_code["erp"].minute == by_code["erp"].second == 0
    assert timedelta() <= timezone.now() - by_code["erp"] < timedelta(hours=1, minutes=1)


def test_nobody_who_sent_another_template_or_long_ago(template: Template) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    other = factories.template("welcome")
    for row, days in ((template, 31), (other, 1)):
        HourlyStat.objects.create(
            hour=now - timedelta(days=days),
            system=factories.system(),
            template=row,
            channel="email",
            accepted=5,
        )
    assert told(template) == []
    assert told(other) == [("Shop", 5)]
