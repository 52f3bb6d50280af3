"""What the tests of lint share."""

from templates_app.lint import Draft, Problem, lint_draft


def found(draft: Draft, *codes: str) -> list[Problem]:
    """The problems that these rules find."""
    return [problem for problem in lint_draft(draft) if problem.rule in codes]


def lines(draft: Draft, code: str) -> list[int]:
    return [problem.line for problem in found(draft, code)]


def messages(draft: Draft, *codes: str) -> list[str]:
    return [problem.message for problem in found(draft, *codes)]
