"""The documentation as its tests read it: pages, marked blocks, tables, links."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
MARK = re.compile(r"<!-- test: (?P<name>[\w-]+) -->\n+\Z")
LINK = re.compile(r"\[[^\]]+\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block; ``mark`` is the name in the comment ``<!-- test: name -->`` right before it."""

    mark: str
    language: str
    text: str


def pages() -> list[Path]:
    """The pages that people read, in a fixed order."""
    return [README, *sorted(DOCS.rglob("*.md"))]


def text(*paths: Path) -> str:
    return "\n".join(path.read_text() for path in paths or pages())


def blocks(page: Path, *marks: str) -> list[Block]:
    """The blocks of a page with one of these marks, in their order."""
    content = page.read_text()
    found = []
    for fence in FENCE.finditer(content):
        mark = MARK.search(content, 0, fence.start())
        name = mark["name"] if mark else ""
        if name in marks:
            found.append(Block(mark=name, language=fence["language"], text=fence["text"]))
    return found


def block(page: Path, mark: str) -> str:
    """The text of the only block with this mark."""
    (found,) = blocks(page, mark)
    return found.text


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", page.read_text())


def table(page: Path, heading: str) -> list[list[str]]:
    """The rows of all tables under a heading, without their heads; cells as they are written."""
    _, _, section = prose(page).partition(f"\n{heading}\n")
    assert section, f"{page.name} has no heading {heading!r}"
    level = heading.partition(" ")[0]
    section = re.split(rf"^#{{1,{len(level)}}} ", section, maxsplit=1, flags=re.MULTILINE)[0]
    rows = [cells(line) for line in section.splitlines() if line.startswith("|")]
    heads = {index - 1 for index, row in enumerate(rows) if set("".join(row)) <= set("-: ")}
    rules = {index + 1 for index in heads}
    return [row for index, row in enumerate(rows) if index not in heads | rules]


def cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def codes(cell: str) -> list[str]:
    """What stands between backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)
