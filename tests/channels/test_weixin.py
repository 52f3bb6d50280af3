"""The envelope of WeChat and WeCom, held against wechatpy both ways."""

import pytest
from django.core.exceptions import ValidationError
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException

from channels_app.contract import ForgedCallback
from channels_app.weixin import Envelope, encoding_aes_key, encrypted_in, event_in, same, signature, to_xml

TOKEN, AES_KEY, APPID = "spamtest", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx5823bf96d3bd56c7"
ENVELOPE = Envelope(token=TOKEN, aes_key=AES_KEY, receiver=APPID)
LETTERS = ["<xml><a>1</a></xml>", "", "字" * 5000, "x" * 11, "x" * 12, "x" * 13]


@pytest.mark.parametrize("text", LETTERS)
def test_another_library_opens_what_we_seal(text: str) -> None:
    query, encrypted = ENVELOPE.seal(text, timestamp="1409735669", nonce="1320562132")
    opened = WeChatCrypto(TOKEN, AES_KEY, APPID).decrypt_message(
        to_xml({"Encrypt": encrypted}), query["msg_signature"], query["timestamp"], query["nonce"]
    )
    assert opened == text


@pytest.mark.parametrize("text", LETTERS)
def test_we_open_what_another_library_seals(text: str) -> None:
    sealed = WeChatCrypto(TOKEN, AES_KEY, APPID).encrypt_message(text, "1320562132", "1409735669")
    outer = event_in(sealed)
    query = {"timestamp": outer["TimeStamp"], "nonce": outer["Nonce"], "msg_signature": outer["MsgSignature"]}
    assert ENVELOPE.open(query, encrypted_in(sealed.encode())) == text


def test_another_library_refuses_a_signature_that_is_not_ours() -> None:
    query, encrypted = ENVELOPE.seal("x", timestamp="1", nonce="n")
    with pytest.raises(InvalidSignatureException):
        WeChatCrypto("other", AES_KEY, APPID).decrypt_message(
            to_xml({"Encrypt": encrypted}), query["msg_signature"], "1", "n"
        )


@pytest.mark.parametrize(
    "other",
    [
        Envelope(token="stolen", aes_key=AES_KEY, receiver=APPID),
        Envelope(token=TOKEN, aes_key="b" * 43, receiver=APPID),
        Envelope(token=TOKEN, aes_key=AES_KEY, receiver="wx-other"),
        Envelope(token="", aes_key=AES_KEY, receiver=APPID),
    ],
)
def test_a_letter_that_was_sealed_otherwise_is_forged(other: Envelope) -> None:
    query, encrypted = other.seal("<xml/>", timestamp="1", nonce="n")
    with pytest.raises(ForgedCallback):
        Envelope(token=other.token and TOKEN, aes_key=AES_KEY, receiver=APPID).open(query, encrypted)


@pytest.mark.parametrize("encrypted", ["", "!", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "字"])
def test_what_cannot_be_deciphered_is_forged_even_when_it_is_signed(encrypted: str) -> None:
    signed = signature(TOKEN, "1", "n", encrypted)
    with pytest.raises(ForgedCallback):
        ENVELOPE.open({"timestamp": "1", "nonce": "n", "msg_signature": signed}, encrypted)


def test_a_query_without_a_signature_is_forged() -> None:
    with pytest.raises(ForgedCallback):
        ENVELOPE.open({}, "AAAA")


@pytest.mark.parametrize(
    "body", [b"", b"not xml", b"<xml></xml>", b"<xml><Encrypt><a/></Encrypt></xml>", b"\xff"]
)
def test_a_body_without_a_ciphertext_is_forged(body: bytes) -> None:
    with pytest.raises(ForgedCallback):
        encrypted_in(body)


def test_an_event_is_read_with_its_inner_fields_and_repeated_ones() -> None:
    xml = "<xml><A><![CDATA[1 < 2]]></A><L><E><X>1</X></E><E><X>2</X></E><E>3</E></L></xml>"
    assert event_in(xml) == {"A": "1 < 2", "L": {"E": [{"X": "1"}, {"X": "2"}, "3"]}}
    assert event_in(to_xml({"A": "1 < 2 & 3"})) == {"A": "1 < 2 & 3"}
    assert event_in("<xml/>") == {}


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><A>&b;</A></xml>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><A>&a;</A></xml>'


@pytest.mark.parametrize(
    "xml",
    [
        BOMB,
        OUTSIDE,
        "<xml>",
        "",
        '<?xml version="1.0" encoding="no-such"?><xml/>',
        "<x>" * 9000 + "</x>" * 9000,
    ],
)
def test_xml_that_is_broken_or_clever_is_an_error_and_no_more(xml: str) -> None:
    with pytest.raises(ValueError, match="not the XML"):
        event_in(xml.encode())


@pytest.mark.parametrize("value", ["short", "a" * 44, "!" * 43, "é" * 43])
def test_a_key_of_another_length_is_refused_in_the_form(value: str) -> None:
    encoding_aes_key("a" * 43)
    with pytest.raises(ValidationError):
        encoding_aes_key(value)


def test_signatures_are_compared_without_hints_and_without_a_crash() -> None:
    assert same("a", "a")
    assert not same("a", "é")
