"""A headless Chromium, as installed on the machine, and a live server for it."""

import shutil
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

#: A machine that is busy is not a page that does not come.
PATIENCE_S = 30
expect.set_options(timeout=PATIENCE_S * 1000)
#: A page is complete that has asked for nothing so long; Playwright's own "networkidle" takes half a second each time.
CALM_MS = 80
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def browser(django_db_setup: None) -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # The browser's driver has an event loop in this thread, which has no part in what Django does here.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*QUIET])
        yield chromium
        chromium.close()


class Visit:
    """A page that remembers what went wrong: errors of scripts, answers from 400 on, calls to other servers."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.faults: list[str] = []
        self._under_way: set[Request] = set()
        page.on("request", lambda request: self._under_way.add(request))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: self._under_way.discard(request))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        page.on("response", lambda answer: self._look(answer.url, answer.status))

    def _look(self, url: str, status: int) -> None:
        if status >= 400 or not url.startswith((self.base, "data:", "blob:", "about:")):
            self.faults.append(f"{status} {url}")

    def enter(self, user: User) -> None:
        """Be somebody who has signed in; test_pages.py plays how one does."""
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.base}
        self.page.context.add_cookies([cookie])

    def open(self, path: str) -> Page:
        self._under_way.clear()
        self.page.goto(self.base + path)
        self._await_calm()
        return self.page

    def _await_calm(self) -> None:
        """Wait for what scripts have asked for."""
        until = time.monotonic() + PATIENCE_S
        self.page.wait_for_timeout(CALM_MS)
        while self._under_way and time.monotonic() < until:
            self.page.wait_for_timeout(CALM_MS)


@pytest.fixture(params=[(1400, 900), (390, 844)], ids=["wide", "phone"])
def visit(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en")
    yield Visit(context.new_page(), live_server.url)
    context.close()
