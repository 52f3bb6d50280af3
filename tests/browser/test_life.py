"""Publishing at a time, in a real browser: the time is that of the person's own zone, and is said back in words."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from templates_app import publishing
from tests import factories
from tests.browser.conftest import Visit
from tests.browser.test_pages import fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_time_is_that_of_the_browser(browser: Browser, live_server: LiveServer) -> None:
    template = factories.template(channels=["sms"])
    draft = publishing.new_draft(template=template, by=None, source=template.published)
    phone = {"width": 390, "height": 844}
    context = browser.new_context(viewport=phone, locale="en", timezone_id="Asia/Shanghai")
    visit = Visit(context.new_page(), live_server.url)
    visit.enter(User.objects.create_superuser("bob"))
    page = visit.open(f"/admin/templates_app/templateversion/{draft.pk}/review/")
    expect(page.get_by_text("Nothing is different.")).to_be_visible()
    assert fits(visit)
    page.locator("a:visible").get_by_text("more_horiz").first.click()
    page.locator("li[x-data*='actionDropdownOpen'] > a:visible", has_text="More").click()
    page.locator("a:visible", has_text="Publish at a time").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_text("In the time zone Asia/Shanghai.")).to_be_visible()
    day = (timezone.now() + timedelta(days=9)).date()
    dialog.locator("[name=at]").fill(f"{day.isoformat()}T09:30")
    seen = dialog.locator("[name=seen]")
    if seen.count():
        seen.check()
    dialog.locator("button[type=submit]").click()
    expect(page.get_by_text("09:30 (Asia/Shanghai)")).to_be_visible()
    draft.refresh_from_db()
    assert draft.publish_at == datetime(day.year, day.month, day.day, 1, 30, tzinfo=UTC)
    assert fits(visit)
    assert visit.faults == []
    context.close()
