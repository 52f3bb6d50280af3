"""The one stored form of each kind of address; each function raises ``ValueError`` with a sentence."""

from urllib.parse import urlsplit

import phonenumbers
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

MAX_URL = 2048


def email_address(value: str) -> str:
    """The address with its domain in lower case; raises ``ValueError``. No DNS look-up is made."""
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


def phone_number(value: str) -> str:
    """The number in E.164 (``+8613800138000``); raises ``ValueError``.

    An extension is refused, because formatting to E.164 would drop it without a word.
    """
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        raise ValueError(_("Write the number in international form, such as +8613800138000.")) from None
    if number.extension:
        raise ValueError(_("A number with an extension cannot be reached."))
    if not phonenumbers.is_valid_number(number):
        raise ValueError(_("No such number exists."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def http_url(value: str) -> str:
    """An absolute http or https URL; raises ``ValueError``. Where it leads is checked when it is called."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(_("This is not a URL.")) from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise ValueError(_("Give an absolute URL that begins with https:// or http://."))
    if parts.username or parts.password:
        raise ValueError(_("A URL with a user name or password in it is not taken."))
    if len(value) > MAX_URL or any(ord(character) <= ord(" ") for character in value):
        raise ValueError(_("The URL is too long or has blanks in it."))
    return value


def opaque(value: str) -> str:
    """An id that only its provider understands: printable, without blanks."""
    if not value or len(value) > MAX_URL or not value.isprintable() or " " in value:
        raise ValueError(_("This is not an id that a provider could have given."))
    return value
