"""Limits in the provider's own unit: what is too long, and how it is cut."""

import pytest
from django.core.exceptions import ValidationError

from channels_app.contract import TextSource
from channels_app.limits import Limit

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"

TOO_LONG = [
    (Limit(max_chars=3), "four", "4 characters are too many; 3 fit."),
    (Limit(max_bytes=5), "字字", "6 bytes are too many; 5 fit."),
    (Limit(max_segments=1), "字" * 71, "It takes 2 text messages; at most 1 are sent."),
]
FITTING = [
    (Limit(), "x" * 100_000),
    (Limit(max_chars=3), "字字字"),
    (Limit(max_bytes=6), "字字"),
    (Limit(max_segments=1), "x" * 160),
]
CUT = [
    (Limit(max_chars=5), "abcdef", "abcd…"),
    (Limit(max_chars=5), "abc def", "abc…"),
    (Limit(max_bytes=9), "字字字字", "字字…"),
    (Limit(max_bytes=10), "字字字字", "字字…"),
    (Limit(max_segments=1), "x" * 161, "x" * 157 + "..."),
    (Limit(max_segments=1), "字" * 71, "字" * 69 + "…"),
    (Limit(max_segments=1), "😀" * 36, "😀" * 34 + "…"),
    # An accent stays with its letter, and a family together.
    (Limit(max_chars=4), "abe\u0301f", "ab…"),
    (Limit(max_chars=5), f"ab{FAMILY}", "ab…"),
    (Limit(max_chars=3), "ab👍🏽c", "ab…"),
]


@pytest.mark.parametrize(("limit", "text", "sentence"), TOO_LONG)
def test_what_is_too_long_is_said_in_the_unit_of_the_limit(limit: Limit, text: str, sentence: str) -> None:
    assert limit.excess(text) == sentence


@pytest.mark.parametrize(("limit", "text"), FITTING)
def test_what_fits_is_left_as_it_is(limit: Limit, text: str) -> None:
    assert limit.excess(text) == ""
    assert limit.cut(text) == text


@pytest.mark.parametrize(("limit", "text", "shown"), CUT)
def test_a_cut_ends_with_an_ellipsis_and_fits(limit: Limit, text: str, shown: str) -> None:
    assert limit.cut(text) == shown
    assert limit.excess(shown) == ""


def test_a_source_without_variables_is_measured_when_it_is_written() -> None:
    field = TextSource(max_chars=5, too_long="cut")
    assert field.clean("{{ name }} and more") == "{{ name }} and more"
    with pytest.raises(ValidationError, match="6 characters"):
        field.clean("sorrow")


def test_a_rendered_text_is_cut_or_refused_as_the_field_declares() -> None:
    assert TextSource(max_chars=5, too_long="cut").fit("sorrow") == "sorr…"
    with pytest.raises(ValueError, match="6 characters"):
        TextSource(max_chars=5).fit("sorrow")


@pytest.mark.parametrize("kind", ["html", "json"])
def test_html_and_json_are_never_cut(kind: str) -> None:
    with pytest.raises(TypeError):
        TextSource(max_chars=5, too_long="cut", html=kind == "html", json=kind == "json")
