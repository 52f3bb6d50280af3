"""The pages of the demo receivers. Their templates escape everything: what they show came from outside."""

from pathlib import Path
from typing import Any

from django.template import Context, Engine

FOLDER = Path(__file__).parent
ENGINE = Engine(dirs=[str(FOLDER)], autoescape=True)


def page(name: str, title: str, **values: Any) -> str:
    """The HTML of a page."""
    return ENGINE.get_template(f"{name}.html").render(Context({"title": title, **values}))


def asset(name: str) -> str:
    """A style sheet or script, as it stands."""
    return (FOLDER / name).read_text()
