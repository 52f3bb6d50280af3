"""The templates of the demo are what people begin from."""

import pytest

from pushcenter.demo.data.people import CATEGORIES
from pushcenter.demo.data.shapes import TemplateSeed
from pushcenter.demo.data.templates import TEMPLATES
from templates_app.lint import Draft, Written, lint_draft

MANDATORY = {code for code, facts in CATEGORIES.items() if facts.get("is_mandatory")}


@pytest.mark.parametrize("seed", TEMPLATES, ids=lambda seed: seed.code)
def test_lint_finds_nothing_in_them(seed: TemplateSeed) -> None:
    variants = [
        Written(channel, locale, content)
        for channel, said in seed.says.items()
        for locale, content in said.by_locale().items()
    ]
    draft = Draft(
        channels=tuple(seed.says),
        variants=variants,
        schema=seed.schema(),
        samples=[("usual", dict(seed.sample))],
        can_be_left=seed.category not in MANDATORY,
    )
    assert [str(problem) for problem in lint_draft(draft)] == []
