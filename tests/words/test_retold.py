"""What is stored in English is told in the reader's language."""

import ast
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import translation

from pushcenter import retold, spans
from pushcenter.messaging import brake
from tests.words.extract import ROOT

CHINESE = "zh-hans"


def in_chinese(text: str) -> str:
    with translation.override(CHINESE):
        return retold.retold(text)


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("no answer within 10 s", "10 秒内没有应答"),
        ("not sent within 10 minutes", "10 分钟内未发送"),
        ("not sent within 1 hour", "1 小时内未发送"),
        ("no time left for another attempt after: no answer in time", "没有时间再次尝试：未及时应答"),
        ("429: no connection", "429: 无法连接"),
        (
            "The lane critical is behind: its oldest due delivery has waited for 3 min 5 s.",
            "队列 紧急 积压：最早的待发投递已等待 3 分 5 秒。",
        ),
        (
            (
                "The ledger of 2026-03-18 does not balance: 2 planned deliveries are missing; "
                "1 figures differ from the rows."
            ),
            "2026-03-18 的账本不平：计划的投递缺失：2; 统计数与明细不符：1。",
        ),
    ],
)
def test_a_sentence_of_ours_is_translated_with_what_is_in_it(stored: str, told: str) -> None:
    assert in_chinese(stored) == told


def test_what_a_provider_says_stays_as_it_is() -> None:
    assert in_chinese("550 5.1.1 mailbox unavailable") == "550 5.1.1 mailbox unavailable"


def test_in_english_nothing_changes() -> None:
    assert retold.retold("no answer within 10 s") == "no answer within 10 s"


def test_every_sentence_fits_its_own_pattern() -> None:
    examples = dict.fromkeys(retold.NUMBERS, "7")
    for sentence in (
        *retold.FLOW,
        *retold.ALERTS,
        *retold.CALLS,
        *retold.ENGINE,
        *retold.SPANS,
        *retold.EXCESS,
    ):
        text = retold.PART.sub(lambda part: examples.get(part[1], "that"), sentence)
        assert in_chinese(text) != text, sentence


def test_what_the_brake_writes_is_known() -> None:
    seen = brake.Figures(out=100, ended=100, failed=40, complaints=0)
    assert in_chinese(brake.fault(seen, of=100)).startswith("100 条投递中有 40 条失败")


def test_spans_are_told_in_both_languages() -> None:
    with translation.override(CHINESE):
        assert spans.words(timedelta(hours=2, minutes=5)) == "2 小时 5 分钟"
    assert spans.words(timedelta(hours=2, minutes=5)) == "2 h 5 min"


#: What makes an error whose first text is stored or shown, and told again in other languages.
MAKERS = {
    "RenderError", "SourceError", "PartError", "LinkError", "OutOfBounds", "refuse",
    "Temporary", "Throttled", "Unreachable", "Refused", "Misconfigured", "ForgedCallback",
}  # fmt: skip


def written() -> Iterator[tuple[str, str]]:
    """Each sentence that code gives to one of them, or as a reason, with 7 for what changes; and its file."""
    for package in ("templates_app", "channels_app", "pushcenter/messaging"):
        for path in (ROOT / package).rglob("*.py"):
            if "certification" in path.parts:  # a provider that misbehaves on purpose
                continue
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Call):
                    given = node.args[:1] if _name(node.func) in MAKERS else []
                    reasons = [each.value for each in node.keywords if each.arg == "reason"]
                    yield from ((_text(each), path.name) for each in [*given, *reasons])


def _name(func: ast.expr) -> str:
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "7" for each in node.values)
    return ""


def test_what_errors_say_is_known() -> None:
    unknown = [
        (text, name) for text, name in written() if " " in text.strip("7: ") and in_chinese(text) == text
    ]
    assert unknown == []
