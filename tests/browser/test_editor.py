"""The page on which versions are written, in a real browser, as an editor uses it."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Dialog, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from templates_app.models import TemplateVersion
from tests import factories
from tests.browser.conftest import Visit
from tests.browser.test_pages import fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCHEMA = {
    "type": "object",
    "properties": {
        "order_no": {"type": "string", "description": "The number of the order"},
        "customer": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
    "required": ["order_no"],
}
SAMPLES = [
    {"name": "Li Wei", "params": {"order_no": "SO-1", "customer": {"name": "Li Wei"}}},
    {"name": "Ann", "params": {"order_no": "SO-2", "customer": {"name": "Ann"}}},
]


def a_draft() -> TemplateVersion:
    template = factories.template(channels=["email", "sms"], published=False, schema=SCHEMA)
    version: TemplateVersion = template.versions.get()
    version.samples = SAMPLES
    version.save()
    email = version.variants.get(channel="email")
    email.content = {"subject": "Order {{ order_no }}", "html": "<p>Hello</p>\n<p>there</p>"}
    email.save()
    return version


def enter(browser: Browser, live_server: LiveServer, name: str, version: TemplateVersion) -> Visit:
    """Somebody signs in and opens the version."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en")
    visit = Visit(context.new_page(), live_server.url)
    visit.enter(User.objects.create_superuser(name))
    page = visit.open(f"/admin/templates_app/templateversion/{version.pk}/change/")
    expect(page.get_by_role("tab").first).to_be_visible()
    return visit


def field(page: Page, label: str) -> Locator:
    """The editor of a field of the variant that is shown."""
    return page.get_by_role("tabpanel").get_by_role("textbox", name=label)


def accept(page: Page, name: str) -> None:
    """Take what is offered; the editor ignores a key that comes at the very moment at which the list appears."""
    expect(page.locator(".cm-tooltip").get_by_role("option", name=name)).to_be_visible()
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")


def test_an_editor_writes_with_the_message_beside_the_text(browser: Browser, live_server: LiveServer) -> None:
    version = a_draft()
    visit = enter(browser, live_server, "ann", version)
    page = visit.page
    look = page.locator("#editor-look")

    # Typing shows, and names are completed, those within a group, too.
    field(page, "Subject").click()
    page.keyboard.press("End")
    page.keyboard.type(" for {{ cust", delay=20)
    accept(page, "customer")
    page.keyboard.type(".n", delay=20)
    accept(page, "name")
    expect(look.get_by_text("Order SO-1 for Li Wei")).to_be_visible()

    # Another sample.
    page.get_by_label("Sample", exact=True).first.select_option("Ann")
    expect(look.get_by_text("Order SO-2 for Ann")).to_be_visible()

    # The mail on a dark screen stays chosen while one types.
    look.get_by_role("checkbox", name="Dark").check()
    expect(look.locator("iframe.look-dark")).to_be_visible()

    # An error is underlined at its line, and a click on it leads there.
    field(page, "HTML").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\n{% if order_no ")
    problem = page.locator("#editor-problems").get_by_role("button", name="HTML · line 3")
    expect(problem).to_be_visible()
    expect(page.locator(".cm-lintRange-error")).to_have_count(1)
    field(page, "Subject").click()
    problem.click()
    expect(field(page, "HTML")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("<p>Fine")
    expect(page.locator(".cm-lintRange-error")).to_have_count(0)
    expect(look.locator("iframe.look-dark")).to_be_visible()

    # Tabs by arrow keys; a new variant that begins with another one's text.
    page.get_by_role("tab", name="Email").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="SMS")).to_be_focused()
    expect(page.get_by_text("1 text message · GSM-7")).to_be_visible()
    page.locator("#add-variant summary").click()
    page.locator("#add-locale").fill("zh-Hans")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("tab", name="SMS zh-hans")).to_have_attribute("aria-selected", "true")
    expect(field(page, "Text")).to_contain_text("is paid")

    # A variable that is used is declared by a click, and given a value.
    field(page, "Text").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("{{ order_no }} {{ city }}")
    page.get_by_role("button", name="Take over from the text").click()
    page.get_by_label("city: Value in the sample").fill("杭州")
    expect(look.get_by_text("SO-2 杭州")).to_be_visible()
    expect(page.get_by_text("UCS-2")).to_be_visible()
    assert fits(visit)

    # Ctrl+S saves all of it, and stays at the same tab.
    page.keyboard.press("Control+s")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    expect(page.get_by_role("tab", name="SMS zh-hans")).to_have_attribute("aria-selected", "true")
    version.refresh_from_db()
    assert version.variants.get(locale="zh-hans").content == {"text": "{{ order_no }} {{ city }}"}
    assert (
        version.variants.get(channel="email").content["subject"]
        == "Order {{ order_no }} for {{ customer.name}}"
    )
    assert "city" in version.variables["properties"]
    assert version.samples[1]["params"]["city"] == "杭州"
    assert visit.faults == []
    page.context.close()


def test_whoever_saves_second_is_told_and_leaving_unsaved_asks(
    browser: Browser, live_server: LiveServer
) -> None:
    version = a_draft()
    ann = enter(browser, live_server, "ann", version).page
    # Of what is stored, a step asks at once.
    ann.locator("a[href$='/submit/']").first.click()
    expect(ann.locator("#dialog")).to_be_visible()
    ann.reload()
    bob = enter(browser, live_server, "bob", version).page
    for page, words in ((ann, "By Ann"), (bob, "By Bob")):
        field(page, "Subject").click()
        page.keyboard.press("Control+a")
        page.keyboard.type(words)
    # A step of the version's life is not taken unawares of what is not saved.
    with bob.expect_event("dialog") as asked:
        bob.once("dialog", lambda dialog: dialog.dismiss())
        bob.locator("a[href$='/submit/']").first.click()
    assert asked.value.type == "confirm"
    expect(bob.locator("#dialog")).to_have_count(0)
    bob.keyboard.press("Control+s")
    expect(bob.get_by_text("was changed successfully")).to_be_visible()
    ann.keyboard.press("Control+s")
    conflict = ann.locator("#conflict")
    expect(conflict).to_contain_text("bob saved it on")
    expect(conflict.locator("del")).to_contain_text(["theirs", "Bob"])
    expect(conflict.locator("ins")).to_contain_text(["yours", "Ann"])
    expect(field(ann, "Subject")).to_have_text("By Ann")

    # What is still not stored is not left behind without a question.
    questions: list[str] = []

    def stay(dialog: Dialog) -> None:
        questions.append(dialog.type)
        dialog.dismiss()

    ann.on("dialog", stay)
    ann.locator("#load-theirs").click()
    ann.wait_for_timeout(500)
    assert questions == ["beforeunload"]
    ann.locator("#overwrite").click()
    expect(ann.get_by_text("Saved.")).to_be_visible()
    assert version.variants.get(channel="email").content["subject"] == "By Ann"
    ann.context.close()
    bob.context.close()


def test_the_editor_says_so_where_the_server_is_away(browser: Browser, live_server: LiveServer) -> None:
    visit = enter(browser, live_server, "ann", a_draft())
    page = visit.page
    page.route("**/live/", lambda route: route.abort())
    field(page, "Subject").click()
    page.keyboard.type("More ")
    expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
    page.unroute("**/live/")
    expect(page.locator("#editor-look").get_by_text("More")).to_be_visible()
    expect(page.get_by_text("The server cannot be reached.")).to_have_count(0)
    page.context.close()
