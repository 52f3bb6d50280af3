"""The console, the API page and the report in a real browser: they work, fit, and need no other server."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from pushcenter.messaging import broadcast, dispatch, intake, leaving, work
from pushcenter.messaging.models import Message
from tests import factories
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a-long-password"


def a_sent_message() -> Message:
    html = "<h1>Paid: {{ order_no }}</h1>"
    mail = {"subject": "Order {{ order_no }}", "html": html, "text": ""}
    factories.template(channels=["inbox", "email"], content={"email": mail})
    factories.accounts("inbox", "email")
    factories.recipient()
    message = factories.message()
    dispatch.run("normal")
    return message


def signed_in(visit: Visit) -> Visit:
    visit.enter(User.objects.create_superuser("admin"))
    return visit


def signing_in(visit: Visit) -> Visit:
    """As a person does."""
    User.objects.create_superuser("admin", password=PASSWORD)
    page = visit.open("/admin/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/admin/")
    return visit


def fits(visit: Visit) -> bool:
    """Nothing sticks out to the side."""
    return visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_an_operator_follows_a_message_from_the_overview_to_its_mail(visit: Visit) -> None:
    message = a_sent_message()
    page = signing_in(visit).page
    expect(page.get_by_text("Everything flows")).to_be_visible()
    assert fits(visit)
    page.locator(f"a[href*='{message.pk}']").first.click()
    expect(page.get_by_text("Accepted and stored")).to_be_visible()
    expect(page.get_by_text("Provider took it")).to_have_count(2)
    mail = page.frame_locator("iframe").first
    expect(mail.get_by_role("heading", name="Paid: SO-1")).to_be_visible()
    assert fits(visit)
    assert visit.faults == []


def test_an_operator_pauses_a_broadcast_and_sees_how_far_it_was(visit: Visit) -> None:
    a_sent_message()
    factories.recipient("u-2", {})
    request = intake.Request(template="order-paid", params={"order_no": "SO-1"}, channels=["email"])
    begun = broadcast.accept(request, {"all": True}, caller=factories.caller())
    assert isinstance(begun, broadcast.Begun)
    work.run(str(begun.id))
    page = signed_in(visit).open("/admin/messaging/batch/")
    assert fits(visit)
    page = visit.open(f"/admin/messaging/batch/{begun.id}/change/")
    expect(page.get_by_text("2 of 2 people looked at")).to_be_visible()
    if page.get_by_text("more_horiz").is_visible():  # on a phone, actions are in a menu
        page.get_by_text("more_horiz").click()
    page.locator("a:visible[href$='/pause/']").click()
    page.locator("#dialog button", has_text="Pause").click()
    expect(page.get_by_text("The batch is paused.")).to_be_visible()
    expect(page.get_by_text("Batch paused")).to_be_visible()
    assert fits(visit)
    assert visit.faults == []


def test_an_analyst_sees_figures_and_a_chart_and_downloads_them(visit: Visit) -> None:
    a_sent_message()
    page = signed_in(visit).open("/admin/reports/")
    expect(page.locator("canvas").first).to_be_visible()
    assert fits(visit)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert "accepted" in download.value.path().read_text(encoding="utf-8-sig").lower()
    assert visit.faults == []


def test_an_operator_replaces_a_key_and_revokes_it(visit: Visit) -> None:
    key, _secret = factories.key()
    place = f"/admin/access/apikey/{key.pk}/change/"
    page = signed_in(visit).open(place)
    assert fits(visit)
    act(page, "Replace")
    page.get_by_role("button", name="Make the successor").click()
    expect(page.locator("#secret")).to_contain_text("pc_live_")
    assert fits(visit)
    visit.open(place)
    act(page, "Revoke")
    page.get_by_role("button", name="Revoke").last.click()
    expect(page.get_by_text("The key was revoked")).to_be_visible()
    assert fits(visit)
    assert visit.faults == []


def act(page: Page, name: str) -> None:
    """Choose an action of a row's page; on a telephone they stand in a menu."""
    if page.viewport_size and page.viewport_size["width"] < 500:
        page.locator("button:visible, a:visible, div:visible").get_by_text("more_horiz").first.click()
    page.locator("a:visible, button:visible", has_text=name).first.click()


def test_an_integrator_reads_the_api_page(visit: Visit) -> None:
    page = visit.open("/api/docs")
    expect(page.get_by_text("Send one message", exact=True)).to_be_visible()
    page.get_by_text("Send one message", exact=True).click()
    expect(page.get_by_text("Answers 202 once the message is stored for good")).to_be_visible()
    assert visit.faults == []


def test_people_leave_a_category_and_come_back(visit: Visit) -> None:
    message = a_sent_message()
    message.deliveries.update(locale="en")
    email = message.deliveries.get(channel="email")
    page = visit.open(f"/u/{leaving.token_of(str(email.pk))}")
    assert page.locator("script").count() == 0
    for button, heading in (("Unsubscribe", "You have unsubscribed"), ("Undo", "You get “Orders” again")):
        assert fits(visit)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.get_by_label("Everywhere").check()
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_text("over any channel")).to_be_visible()
    assert visit.faults == []


def test_a_user_chooses_the_language_in_the_menu(visit: Visit) -> None:
    a_sent_message()
    page = signed_in(visit).open("/admin/")
    if not page.get_by_text("unfold_more").is_visible():  # on a phone, the sidebar is shut
        page.get_by_text("dock_to_right").last.click()
    page.get_by_text("unfold_more").click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_text("运行正常")).to_be_visible()
    assert fits(visit)
    for path in (
        "/admin/messaging/delivery/",
        "/admin/reports/",
        "/admin/ledger/",
        "/admin/channels_app/account/",
    ):
        visit.open(path)
        assert fits(visit)
    assert visit.faults == []
