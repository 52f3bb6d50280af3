"""A template's way in a real browser: an editor writes it for several channels in two languages, lint stops him, he
mends it, looks at it, sends it to himself, asks for review; an approver publishes; the API sends it; a change that
callers have to know of is named with the system that sends it, and one click rolls back.

``STORY_SHOTS=folder`` keeps a picture of each step, wide and narrow, light and dark.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import Group as Role
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from pushcenter.messaging import dispatch
from templates_app.models import Template, TemplateVersion
from tests import factories
from tests.browser.conftest import Visit
from tests.flow.world import MailSink, mail_sink

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
#: The menus of actions, which stand at the end of the page, in the order of their buttons.
MENU = "nav[x-show=actionDropdownOpen]"


@dataclass(slots=True)
class Person:
    """Somebody at a browser of his own."""

    visit: Visit
    steps: int = 0

    @property
    def page(self) -> Page:
        return self.visit.page

    def seen(self, step: str) -> None:
        """The step is over: nothing went wrong, and the page fits on a wide and on a narrow window."""
        assert self.visit.faults == [], step
        for size in (NARROW, WIDE):
            self.page.set_viewport_size(size)
            assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), step
        self.steps += 1
        if folder := os.environ.get("STORY_SHOTS"):
            self._shoot(Path(folder), f"{self.steps:02} {step}")

    def _shoot(self, folder: Path, name: str) -> None:
        for mode in ("light", "dark"):
            self.page.evaluate(
                f"document.documentElement.classList.toggle('dark', {str(mode == 'dark').lower()})"
            )
            for size in (NARROW, WIDE):
                self.page.set_viewport_size(size)
                self.page.wait_for_timeout(300)
                self.page.screenshot(path=folder / f"{name} {mode} {size['width']}.png", full_page=True)
        self.page.evaluate("document.documentElement.classList.remove('dark')")

    def write(self, field: str, text: str) -> None:
        """Into a field of the variant that is shown, as a person types: in place of what stands there."""
        panel = self.page.locator(".ed-variant:not([hidden])")
        place = panel.locator(f"[data-field='{field}'] .cm-content")
        place.click()
        place.press("Control+a")
        self.page.keyboard.insert_text(text)

    def add_variant(self, channel: str, locale: str = "", copy: str = "") -> None:
        self.page.locator("#add-variant > summary").click()
        # The menu opens, and then chooses for a start what is shown: nobody is as quick as a test.
        copies = self.page.locator(".ed-variants > .ed-variant").count() + 1
        expect(self.page.locator("#add-copy option")).to_have_count(copies)
        self.page.select_option("#add-channel", channel)
        self.page.fill("#add-locale", locale)
        if copy:
            self.page.select_option("#add-copy", label=copy)
        else:
            self.page.select_option("#add-copy", "")
        self.page.click("#add-button")
        expect(self.page.locator(f".ed-variant[data-channel='{channel}']:not([hidden])")).to_be_visible()

    def save(self) -> None:
        with self.page.expect_navigation():
            self.page.keyboard.press("Control+s")
        expect(self.page.get_by_text("was changed successfully").first).to_be_visible()

    def go(self, action: str) -> None:
        """The link of an action, which may be in a menu."""
        self.page.wait_for_load_state("load")  # before that, a dialog would be a page
        link = self.page.locator(f"a[href$='/{action}/']").first
        if not link.is_visible():
            menu = link.evaluate(
                f"link => [...document.querySelectorAll('{MENU}')].indexOf(link.closest('nav'))"
            )
            self.page.locator("li[x-data*='actionDropdownOpen'] > a").nth(menu).click()
        link.click()

    def ask(self, step: str) -> Locator:
        """The dialog of a step of the version's life."""
        self.go(step)
        dialog = self.page.locator("#dialog")
        expect(dialog).to_be_visible()
        return dialog

    def take(self, step: str) -> None:
        """The button of a step, and the one in its dialog."""
        dialog = self.ask(step)
        seen = dialog.locator("input[name='seen']")
        if seen.count():
            seen.check()
        with self.page.expect_navigation():
            dialog.locator("button[type='submit']").click()

    def open(self, version: TemplateVersion) -> None:
        self.visit.open(f"/admin/templates_app/templateversion/{version.pk}/change/")


@pytest.fixture
def people(browser: Browser, live_server: LiveServer) -> Iterator[Any]:
    contexts = []

    def person(name: str, role: str) -> Person:
        user = User.objects.create_user(name, f"{name}@example.com", is_staff=True)
        user.groups.add(Role.objects.get(name=role))
        context = browser.new_context(viewport=WIDE, locale="en")
        contexts.append(context)
        visit = Visit(context.new_page(), live_server.url)
        visit.enter(user)
        return Person(visit)

    yield person
    for context in contexts:
        context.close()


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with mail_sink() as found:
        config = {
            "host": "127.0.0.1", "port": found.port, "security": "none", "from_address": "shop@example.com",
        }  # fmt: skip
        factories.account("email", "smtp", name="Mail", config=config)
        for channel in ("sms", "push", "wecom"):
            factories.account(channel)
        yield found


def api_send(base: str, secret: str) -> int:
    body = {
        "template": "order-shipped",
        "to": {"email": "li@example.com", "phone": "+8613800138000", "locale": "zh-hans"},
        "params": {"order_no": "SO-7", "carrier": "SF Express"},
    }
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    request = Request(f"{base}/api/v1/messages", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=20) as answer:
        return int(answer.status)


@pytest.mark.timeout(300)
def test_the_story_of_a_template(people: Any, sink: MailSink, live_server: LiveServer) -> None:
    category = factories.category("orders", needs_approval=True, is_mandatory=True)
    ann = people("ann", "Template editors")
    a_template_is_made(ann, category.name)
    variants_are_written(ann)
    lint_stops_and_is_satisfied(ann)
    it_is_looked_at(ann)
    a_test_is_sent(ann, sink)
    ann.open(newest())
    ann.take("submit")
    expect(ann.page.get_by_text("Sent to review.")).to_be_visible()
    ann.seen("asked for review")
    bob = people("bob", "Approvers")
    it_is_published(bob)
    the_api_sends_it(live_server.url, sink)
    a_breaking_change_is_named(ann, bob)
    it_is_rolled_back(bob)
    kinds = list(Template.objects.get().changes.order_by("id").values_list("kind", "by_name"))
    assert kinds[0] == ("created", "ann")
    assert kinds[-1] == ("rolled_back", "bob")
    assert {("test_sent", "ann"), ("submitted", "ann"), ("published", "bob")} < set(kinds)


def newest() -> TemplateVersion:
    return TemplateVersion.objects.exclude(state="trial").latest("number")


def a_template_is_made(ann: Person, category: str) -> None:
    page = ann.visit.open("/admin/templates_app/template/add/")
    page.fill("#id_code", "order-shipped")
    page.fill("#id_name", "Order shipped")
    page.locator("#id_category + .select2, .select2").first.click()
    page.keyboard.insert_text("orders")
    page.locator(".select2-results__option", has_text=category).first.click()
    for place, channel in enumerate(("email", "sms", "push", "wecom")):
        page.locator("select[name='channels']").nth(place).select_option(channel)
    ann.seen("the settings of a template")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Now write its first version")).to_be_visible()
    expect(page.get_by_text("Nothing is written yet")).to_be_visible()
    ann.seen("an empty draft")


def variants_are_written(ann: Person) -> None:
    """Four channels in English, as callers and their parameters have it."""
    page = ann.page
    ann.add_variant("email")
    ann.write("subject", "Order {{ order_no }} is on its way")
    ann.write("text", "Dear {{ recipient.name }},\n\n{{ carrier }} has your order {{ order_no }}.\n")
    ann.add_variant("sms")
    ann.write("text", "Order {{ order_no }} is on its way with {{ carrier }}.")
    ann.add_variant("push")
    ann.write("title", "On its way")
    ann.write("body", "{{ order_no }} with {{ carrier }}")
    ann.add_variant("wecom")
    ann.write("text", "{{ order_no }} is on its way with {{ carrier }}")
    page.get_by_role("button", name="Take over from the text").click()
    page.get_by_role("button", name="New sample").click()
    for name, value in (("order_no", "SO-20391"), ("carrier", "SF Express")):
        page.locator(f"[id='variable-{name}-value']").fill(value)
    ann.seen("four variants and their variables")


def lint_stops_and_is_satisfied(ann: Person) -> None:
    """Chinese on one channel, with a name that is misspelt: lint wants the name right and the other channels, too."""
    page = ann.page
    ann.add_variant("email", "zh-hans", copy="Email")
    ann.write("subject", "订单 {{ ordr_no }} 已发货")
    ann.write("text", "{{ recipient.name }}，您好：\n\n{{ carrier }} 已揽收您的订单 {{ order_no }}。\n")
    problems = page.locator("#editor-problems")
    expect(problems.get_by_text("Did you mean “order_no”?")).to_be_visible()
    ann.seen("lint while one types")
    ann.save()
    dialog = ann.ask("submit")
    expect(dialog.get_by_text("This cannot be done now:")).to_be_visible()
    ann.seen("lint stops the review")
    page.keyboard.press("Escape")
    ann.open(newest())
    ann.visit.page.get_by_role("tab", name="Email zh-hans").click()
    ann.write("subject", "订单 {{ order_no }} 已发货")
    for channel, field, text in (
        ("sms", "text", "订单 {{ order_no }} 已由 {{ carrier }} 发出。"),
        ("push", "title", "已发货"),
        ("wecom", "text", "{{ order_no }} 已由 {{ carrier }} 发出"),
    ):
        ann.add_variant(channel, "zh-hans", copy=LABELS[channel])
        ann.write(field, text)
    expect(problems.locator(".ed-error")).to_have_count(0)
    ann.save()


LABELS = {"sms": "SMS", "push": "App push", "wecom": "WeCom"}


def it_is_looked_at(ann: Person) -> None:
    """With the sample, as the recipient sees it."""
    page = ann.page
    page.get_by_role("tab", name="SMS zh-hans").click()
    look = page.locator("#editor-look")
    expect(look.get_by_text("订单 SO-20391 已由 SF Express 发出。")).to_be_visible()
    expect(page.locator("#editor-estimate")).to_contain_text("UCS-2")
    ann.seen("a text message in Chinese")
    page.get_by_role("tab", name="Email for everybody").click()
    expect(look.get_by_text("Order SO-20391 is on its way").first).to_be_visible()
    ann.seen("a mail")


def a_test_is_sent(ann: Person, sink: MailSink) -> None:
    page = ann.page
    ann.go("try")
    expect(page.locator("#id_to_email")).to_have_value("ann@example.com")
    for channel in ("sms", "push", "wecom"):
        page.locator(f"input[name='channels'][value='{channel}']").uncheck()
    page.select_option("#id_locale", "zh-hans")
    ann.seen("a test to oneself")
    page.get_by_role("button", name="Send the test").click()
    expect(page.get_by_text("Under way")).to_be_visible()
    dispatch.run("high")
    expect(page.get_by_text("This is what became of it.")).to_be_visible()
    [mail] = sink.mails
    assert (mail["To"], mail["Subject"]) == ("ann@example.com", "订单 SO-20391 已发货")
    ann.seen("what became of the test")


def it_is_published(bob: Person) -> None:
    page = bob.visit.open("/admin/templates_app/templateversion/?state__exact=in_review")
    with page.expect_navigation():
        page.get_by_role("link", name="order-shipped v1").first.click()
    with page.expect_navigation():
        bob.go("review")
    expect(page.get_by_text("订单 SO-20391 已由 SF Express 发出。")).to_be_visible()
    bob.seen("the approver's look")
    bob.open(newest())
    bob.take("publish")
    expect(page.get_by_text("Published: recipients get this version now.")).to_be_visible()
    bob.seen("published")


def the_api_sends_it(base: str, sink: MailSink) -> None:
    _key, secret = factories.key()
    body = {
        "template": "order-shipped",
        "to": {"email": "li@example.com", "locale": "zh-hans-cn"},
        "params": {"order_no": "SO-7", "carrier": "SF Express"},
    }
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    request = Request(f"{base}/api/v1/messages", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=20) as answer:
        assert answer.status == 202
    dispatch.run("normal")
    assert sink.mails[-1]["To"] == "li@example.com"
    assert sink.mails[-1]["Subject"] == "订单 SO-7 已发货"


def a_breaking_change_is_named(ann: Person, bob: Person) -> None:
    """A new variable that callers have to give, and who they are."""
    page = ann.visit.open(f"/admin/templates_app/template/{newest().template_id}/change/")
    ann.take("new_draft")
    page.get_by_role("tab", name="Email for everybody").click()
    ann.write(
        "text",
        "Dear {{ recipient.name }},\n\n{{ carrier }} has your order {{ order_no }}: {{ tracking_no }}.\n",
    )
    page.get_by_role("button", name="Take over from the text").click()
    page.locator("[id='variable-tracking_no-value']").fill("SF1234567890")
    ann.save()
    dialog = ann.ask("submit")
    expect(dialog.get_by_text("“tracking_no” becomes required")).to_be_visible()
    expect(dialog.get_by_text("Shop").first).to_be_visible()
    ann.seen("a breaking change is named")
    dialog.locator("button[type='submit']").click()
    expect(page.get_by_text("Sent to review.")).to_be_visible()
    bob.open(newest())
    warned = bob.ask("publish")
    expect(warned.get_by_text("“tracking_no” becomes required")).to_be_visible()
    expect(warned.get_by_text("Shop").first).to_be_visible()
    bob.seen("the approver is warned, too")
    warned.locator("input[name='seen']").check()
    warned.locator("button[type='submit']").click()
    expect(bob.page.get_by_text("Published: recipients get this version now.")).to_be_visible()


def it_is_rolled_back(bob: Person) -> None:
    template = Template.objects.get()
    bob.visit.open(f"/admin/templates_app/template/{template.pk}/change/")
    bob.seen("the page of a template")
    bob.take("roll_back")
    expect(bob.page.get_by_text("Rolled back").first).to_be_visible()
    assert template.published is not None
    assert template.published.number == 1
    bob.seen("rolled back")
    bob.visit.open(f"/admin/templates_app/template/{template.pk}/history/")
    bob.seen("its history")
