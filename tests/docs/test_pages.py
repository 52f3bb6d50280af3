"""All pages together: what there is, is mentioned; what is linked, is there; nothing is left unfinished."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from channels_app import registry
from tests.docs.pages import DOCS, LINK, README, ROOT, codes, pages, prose, text

OURS = ("pushcenter", "templates_app", "channels_app", "analytics_app")
API = DOCS / "api.md"
#: Words that mark unfinished work; written so that this file does not have them itself.
UNFINISHED = ["TO" + "DO", "FIX" + "ME", "coming " + "soon"]
#: Folders in which people keep what is theirs. A path below one of them names a machine.
HOMES = re.compile(
    "|".join(["/ho" + r"me/\w", "/Us" + r"ers/\w", "/ro" + r"ot/\w", "/wo" + r"rk/\w", "C:" + r"\\"])
)
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def commands() -> list[str]:
    found = (path for package in OURS for path in (ROOT / package).rglob("management/commands/*.py"))
    return sorted(path.stem for path in found if not path.stem.startswith("_"))


def endpoints() -> list[str]:
    """The addresses that programs call, as the documentation writes them; the console's pages left out."""
    found: list[str] = []

    def collect(patterns: list[URLPattern | URLResolver], start: str) -> None:
        for each in patterns:
            route = start + str(each.pattern)
            if isinstance(each, URLResolver):
                if each.app_name != "admin":
                    collect(each.url_patterns, route)
            else:
                found.append("/" + PARAMETER.sub(r"{\1}", route))

    collect(get_resolver().url_patterns, "")
    return [
        path
        for path in found
        if path not in {"/", "/api/{rest}"} and not path.startswith(("/static", "/jsi18n"))
    ]


def as_documented(path: str) -> str:
    return (
        path.replace("{message_id}", "{id}").replace("{key_id}", "{id}").replace("{account_id}", "{account}")
    )


@pytest.mark.parametrize("command", commands())
def test_every_command_is_mentioned(command: str) -> None:
    assert f"manage.py {command}" in text()


@pytest.mark.parametrize("adapter", sorted(registry.adapters()))
def test_every_adapter_is_mentioned(adapter: str) -> None:
    assert adapter in codes(prose(DOCS / "channels.md"))


@pytest.mark.parametrize("path", endpoints())
def test_every_address_is_mentioned(path: str) -> None:
    mentioned = {word for code in codes(prose(API)) for word in code.split()}
    assert as_documented(path) in mentioned


def test_the_addresses_of_the_api_are_found() -> None:
    assert {"/api/v1/messages", "/healthz", "/api/schema", "/callbacks/{account_id}/{token}"} <= set(
        endpoints()
    )


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        if anchor:
            assert anchor in anchors(other), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, open_pages = set[Path](), [README]
    while open_pages:
        page = open_pages.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in LINK.findall(prose(page)):
            path = (page.parent / target.partition("#")[0]).resolve()
            open_pages += (
                [path] if path.suffix == ".md" else sorted(path.glob("*.md")) if path.is_dir() else []
            )
    assert set(pages()) <= reached


def files() -> list[Path]:
    """What the repository holds, and what would be added to it."""
    if shutil.which("git") is None:
        pytest.skip("git is missing")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    run = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("this is no checkout")
    return [ROOT / name for name in run.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_nothing_is_left_unfinished_or_names_a_machine() -> None:
    found = []
    for path in files():
        try:
            content = path.read_text()
        except UnicodeDecodeError:
            continue
        words = [word for word in UNFINISHED if re.search(rf"\b{word}\b", content)]
        found += [f"{path.relative_to(ROOT)}: {word}" for word in [*words, *HOMES.findall(content)]]
    assert found == []
