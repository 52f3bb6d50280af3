"""An editor sees what a draft would do with what was sent lately, and how a canary does."""

import pytest
from playwright.sync_api import expect

from pushcenter.lanes import Lane
from pushcenter.messaging import dispatch, intake
from pushcenter.messaging.request import Item
from templates_app import canary, publishing
from templates_app.models import TemplateVersion, Variant
from tests import factories
from tests.browser.conftest import Visit
from tests.browser.test_pages import fits, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def send(number: int) -> None:
    items = {
        each: Item(to={"email": "sent@simulator.example"}, params={"order_no": f"SO-{each}"})
        for each in range(number)
    }
    intake.accept_batch(
        intake.Request(template="order-paid"),
        items,
        caller=factories.caller(),
        rejected={},
        skip_rejected=False,
    )


def a_draft(published: TemplateVersion, subject: str) -> TemplateVersion:
    draft = publishing.new_draft(template=published.template, by=None, source=published)
    content = {"subject": subject, "html": "<h1>Paid: {{ order_no }}</h1>", "text": ""}
    Variant.objects.filter(version=draft).update(content=content)
    return draft


def test_a_rehearsal_and_a_canary(visit: Visit) -> None:
    factories.accounts("email")
    published = factories.template(channels=["email"]).versions.get()
    send(20)
    draft = a_draft(published, "{% if order_no == 'SO-7' %}{{ order_no / 2 }}{% endif %}Paid: {{ order_no }}")
    page = signed_in(visit).open(f"/admin/templates_app/templateversion/{draft.pk}/rehearse/")
    expect(page.get_by_text("Subject, line 1")).to_be_visible()
    page.locator(".pc-example summary").first.click()
    expect(page.get_by_text('"order_no": "SO-7"')).to_be_visible()
    expect(page.locator("[data-part=subject]", has_text="Paid: SO-")).to_have_count(6)
    assert fits(visit)
    tried = canary.start(version=a_draft(published, "Paid: {{ order_no }}"), by=None, percent=50)
    send(40)
    dispatch.run(Lane.NORMAL)
    page = visit.open(f"/admin/templates_app/templateversion/{tried.pk}/change/")
    expect(page.get_by_text("There are too few messages to tell one from the other.")).to_be_visible()
    assert fits(visit)
    page = visit.open(f"/admin/templates_app/template/{tried.template_id}/change/")
    expect(page.get_by_text("Version 3 is sent for 50 % of the messages")).to_be_visible()
    assert fits(visit)
    assert visit.faults == []
