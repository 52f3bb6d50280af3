"""What WeChat and WeCom share: how they say no, and the envelope of their events, which is XML in AES, signed.

Signatures are SHA-1 over sorted values; the cipher is AES-256 in CBC mode with the key's own first half as the
initial value. Both are the provider's choice, documented at https://developer.work.weixin.qq.com/document/path/90968
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from channels_app.contract import ForgedCallback
from channels_app.json_api import text_at

#: Padding goes up to this, in bytes: twice the block of the cipher.
BLOCK = 32
#: Before the text: random bytes, and its length as a big-endian number of four bytes.
RANDOM, HEAD = 16, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """How one account seals: ``token`` and ``aes_key`` as set in the console, and who the letter is for."""

    token: str
    aes_key: str
    receiver: str

    def open(self, query: Mapping[str, str], encrypted: str) -> str:
        """The text inside; raises :class:`ForgedCallback`."""
        expected = signature(self.token, query.get("timestamp", ""), query.get("nonce", ""), encrypted)
        if not self.token or not same(expected, query.get("msg_signature", "")):
            raise ForgedCallback("the signature does not fit")
        try:
            text, receiver = _unpack(self._cipher().decryptor(), base64.b64decode(encrypted, validate=True))
        except (ValueError, binascii.Error):
            raise ForgedCallback("it cannot be deciphered") from None
        if receiver != self.receiver:
            raise ForgedCallback("it is for somebody else")
        return text

    def seal(self, text: str, *, timestamp: str, nonce: str) -> tuple[dict[str, str], str]:
        """The query and the ciphertext of a letter."""
        raw = text.encode()
        plain = secrets.token_bytes(RANDOM) + len(raw).to_bytes(4, "big") + raw + self.receiver.encode()
        padding = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher().encryptor()
        sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
        encrypted = base64.b64encode(sealed).decode()
        signed = signature(self.token, timestamp, nonce, encrypted)
        return {"timestamp": timestamp, "nonce": nonce, "msg_signature": signed}, encrypted

    def _cipher(self) -> Cipher[modes.CBC]:
        key = key_bytes(self.aes_key)
        return Cipher(algorithms.AES256(key), modes.CBC(key[:16]))


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """How both say yes and no in JSON."""
    code = text_at(answer, "errcode")
    return ("" if code == "0" else code), text_at(answer, "errmsg")


def speaks(answer: Mapping[str, Any]) -> bool:
    return "errcode" in answer or "access_token" in answer


def key_bytes(aes_key: str) -> bytes:
    """The key inside an EncodingAESKey of 43 characters; raises ``ValueError``."""
    key = base64.b64decode(aes_key + "=", validate=True)
    if len(key) != 32:
        raise ValueError("not an AES key")
    return key


def encoding_aes_key(value: str) -> None:
    """Form validator."""
    try:
        key_bytes(value)
    except (ValueError, binascii.Error):
        raise ValidationError(_("An EncodingAESKey has 43 letters and digits.")) from None


def signature(*values: str) -> str:
    """The one signature of WeChat and WeCom."""
    return hashlib.sha1("".join(sorted(values)).encode()).hexdigest()  # noqa: S324 (the provider's choice)


def same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def event_in(xml: str | bytes) -> dict[str, Any]:
    """The fields of an event, those with fields of their own as dicts, repeated ones as lists.

    Raises ``ValueError`` where it is no XML, or XML that tries to be clever.
    """
    try:
        fields = _fields(fromstring(xml))
    except (ParseError, DefusedXmlException, LookupError, RecursionError) as error:
        raise ValueError(f"not the XML of an event: {type(error).__name__}") from None
    return fields if isinstance(fields, dict) else {}


def encrypted_in(body: bytes) -> str:
    """The ciphertext in a body; raises :class:`ForgedCallback`, because without it nothing is signed."""
    try:
        found = event_in(body).get("Encrypt")
    except ValueError:
        found = None
    if not isinstance(found, str) or not found:
        raise ForgedCallback("it is not encrypted")
    return found


def to_xml(fields: Mapping[str, str]) -> str:
    """Flat fields as the XML of an event."""
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f"<xml>{inner}</xml>"


def _fields(element: Element) -> dict[str, Any] | str:
    if not len(element):
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in element:
        value = _fields(child)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found


def _unpack(decryptor: Any, sealed: bytes) -> tuple[str, str]:
    plain: bytes = decryptor.update(sealed) + decryptor.finalize()
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= BLOCK or len(plain) < HEAD + padding:
        raise ValueError("wrong padding")
    content = plain[:-padding]
    end = HEAD + int.from_bytes(content[RANDOM:HEAD], "big")
    return content[HEAD:end].decode(), content[end:].decode()
