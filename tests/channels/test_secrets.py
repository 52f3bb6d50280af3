"""Secrets at rest."""

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from channels_app.secrets import UnreadableSecret, decrypt, encrypt

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_secret_comes_back_as_it_was(settings: Settings) -> None:
    settings.FIELD_KEYS = [OLD]
    value = {"password": "p\u00e4ss 密码", "port": 25}
    token = encrypt(value)
    assert decrypt(token) == value
    assert "pass" not in token


def test_the_same_secret_never_looks_the_same_twice(settings: Settings) -> None:
    settings.FIELD_KEYS = [OLD]
    assert encrypt("x") != encrypt("x")


def test_a_new_key_in_front_writes_and_the_old_one_still_reads(settings: Settings) -> None:
    settings.FIELD_KEYS = [OLD]
    old_token = encrypt("kept")
    settings.FIELD_KEYS = [NEW, OLD]
    assert decrypt(old_token) == "kept"
    new_token = encrypt("fresh")
    settings.FIELD_KEYS = [NEW]
    assert decrypt(new_token) == "fresh"
    with pytest.raises(UnreadableSecret):
        decrypt(old_token)


@pytest.mark.parametrize("token", ["", "no token", "gAAAAA=="])
def test_what_was_tampered_with_is_unreadable(settings: Settings, token: str) -> None:
    settings.FIELD_KEYS = [OLD]
    with pytest.raises(UnreadableSecret):
        decrypt(token)
