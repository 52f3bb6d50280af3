"""A headless Chromium, as installed on the machine, and a live server for it."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

#: A machine that is busy is not a page that does not come.
expect.set_options(timeout=30_000)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
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
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        page.on("response", lambda answer: self._look(answer.url, answer.status))

    def _look(self, url: str, status: int) -> None:
        if status >= 400 or not url.startswith((self.base, "data:", "blob:", "about:")):
            self.faults.append(f"{status} {url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path, wait_until="networkidle")
        return self.page


@pytest.fixture(params=[(1400, 900), (390, 844)], ids=["wide", "phone"])
def visit(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en")
    yield Visit(context.new_page(), live_server.url)
    context.close()
