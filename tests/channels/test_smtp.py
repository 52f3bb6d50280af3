"""The SMTP adapter against a real server that answers by a script."""

import asyncio
import ssl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels_app.adapters.smtp import SmtpAdapter, Stage, meaning
from channels_app.contract import (
    Address,
    Callback,
    ChannelError,
    ForgedCallback,
    Misconfigured,
    Outcome,
    Outgoing,
    Receipt,
    Refused,
    Scope,
    Sent,
    Temporary,
    Unreachable,
)
from channels_app.mime import is_dead, plain_text, unsubscribe_headers
from tests.flow.world import free_port

DROP, HANG = "drop", "hang"
DELIVERY = "0191e2a0-0000-7000-8000-000000000001"


class Relay:
    """The server's side: what it answers at each stage, and what it got."""

    def __init__(self, port: int, answers: dict[str, str]) -> None:
        self.port = port
        self.answers = answers
        self.greetings = 0
        self.senders: list[str] = []
        self.envelopes: list[Envelope] = []

    @property
    def mails(self) -> list[EmailMessage]:
        return [parsed(each.content) for each in self.envelopes]

    async def answer(self, server: SMTP, stage: str, otherwise: str) -> str:
        said = self.answers.get(stage, otherwise)
        if said == DROP:
            server.transport.abort()
        if said == HANG:
            await asyncio.sleep(1.2)
        return said

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, host: str, responses: list[str]
    ) -> list[str]:
        self.greetings += 1
        session.host_name = host
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        self.senders.append(address)
        return await self.answer(server, "MAIL", "250 2.1.0 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        said = f"RCPT {address}"
        return await self.answer(server, said if said in self.answers else "RCPT", "250 2.1.5 OK")

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        said = await self.answer(server, "DATA", "250 2.0.0 queued as 42")
        if said.startswith("250"):
            self.envelopes.append(envelope)
        return said


def parsed(content: Any) -> EmailMessage:
    assert isinstance(content, bytes)
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


@contextmanager
def relay(answers: dict[str, str] | None = None, **options: Any) -> Iterator[Relay]:
    side = Relay(free_port(), answers or {})
    controller = Controller(
        side, hostname="127.0.0.1", port=side.port, server_hostname="relay.test", **options
    )
    controller.start()
    try:
        yield side
    finally:
        controller.stop()


def config(port: int, **changes: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "username": "",
        "from_address": "Shop <shop@example.com>",
        "reply_to": "",
        "timeout_s": 2,
        "connections": 1,
    } | changes


def outgoing(to: str = "ann@example.org", **content: str) -> Outgoing:
    address = Address(kind="email", value=to)
    return Outgoing(id=DELIVERY, address=address, content={"subject": "Hi", "text": "Hello"} | content)


async def converse(
    settings: dict[str, Any], messages: list[Outgoing], pause: float
) -> list[Sent | ChannelError]:
    adapter = SmtpAdapter(settings)
    results = []
    try:
        for message in messages:
            results += await adapter.send_many([message])
            await asyncio.sleep(pause)
    finally:
        await adapter.close()
    return results


def send(settings: dict[str, Any], *messages: Outgoing, pause: float = 0) -> list[Sent | ChannelError]:
    """One after the other, through one adapter."""
    return asyncio.run(converse(settings, list(messages) or [outgoing()], pause))


def content_of(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    text: str = part.get_content()
    return text.strip()


def test_a_mail_arrives_as_it_was_written() -> None:
    message = outgoing(
        subject="你的订单已付款 – grüße",
        html="<html><body class='x'><p>订单 <b>42</b> 已付款</p></body></html>",
        text="订单 42 已付款",
        preheader="谢谢 & <再见>",
    )
    with relay() as side:
        [sent] = send(config(side.port, reply_to="Help <help@example.com>"), message)
        [mail] = side.mails
        [envelope] = side.envelopes
    assert sent == Sent(provider_id=f"<{DELIVERY}@example.com>", note="2.0.0 queued as 42")
    assert envelope.mail_from == "shop@example.com"
    assert envelope.rcpt_tos == ["ann@example.org"]
    assert mail["Subject"] == "你的订单已付款 – grüße"
    assert mail["From"] == "Shop <shop@example.com>"
    assert mail["To"] == "ann@example.org"
    assert mail["Reply-To"] == "Help <help@example.com>"
    assert mail["Message-ID"] == f"<{DELIVERY}@example.com>"
    assert mail["X-Push-Center-Delivery"] == DELIVERY
    assert abs(parsedate_to_datetime(mail["Date"]) - datetime.now(UTC)) < timedelta(seconds=10)
    assert mail.get_content_type() == "multipart/alternative"
    assert content_of(mail, "plain") == "订单 42 已付款"
    html = content_of(mail, "html")
    assert "<p>订单 <b>42</b> 已付款</p>" in html
    assert html.index("<body class='x'><div style=") < html.index("谢谢 &amp; &lt;再见&gt;</div><p>")


def test_every_line_on_the_wire_is_short_and_in_ascii() -> None:
    with relay() as side:
        send(
            config(side.port),
            outgoing(subject="长" * 300, html=f"<p>{'字' * 3000}{'x' * 3000}</p>", text="y" * 3000),
        )
        [envelope] = side.envelopes
    assert isinstance(envelope.content, bytes)
    assert envelope.content.isascii()
    assert max(len(line) for line in envelope.content.splitlines()) <= 998
    assert parsed(envelope.content)["Subject"] == "长" * 300


def test_a_mail_of_text_alone_is_plain() -> None:
    with relay() as side:
        send(config(side.port), outgoing(text="Hello\n.\n..dots\nFrom here"))
        [mail] = side.mails
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == "Hello\n.\n..dots\nFrom here\n"


def test_all_attempts_carry_the_same_message_id() -> None:
    with relay() as side:
        first, second = send(config(side.port), outgoing(), outgoing())
    assert isinstance(first, Sent)
    assert isinstance(second, Sent)
    assert first.provider_id == second.provider_id


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hi <b>Ann</b>,</p><p>paid.</p>", "Hi Ann,\n\npaid."),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ('<a href="https://example.com/1">Order</a> now', "Order (https://example.com/1) now"),
        ('<a href="https://example.com/1">https://example.com/1</a>', "https://example.com/1"),
        ('<a href="mailto:a@example.com">a@example.com</a>', "a@example.com"),
        ('<a href="https://example.com"><img src="x" alt="Shop"></a>', "Shop (https://example.com)"),
        ('<a href="https://example.com"><img src="x"></a>', "https://example.com"),
        ('<a href="#top">Top</a>', "Top"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<table><tr><td>Sum</td><td>5</td></tr><tr><td>Tax</td><td>1</td></tr></table>", "Sum 5\nTax 1"),
        ("<head><title>T</title><style>p{}</style></head><body>x<script>1</script></body>", "x"),
        ("&lt;b&gt; &amp; 你好&nbsp;!", "<b> & 你好 !"),
        ("<p>a\n\n   b</p>", "a b"),
        ("</a></p></style>broken<a>", "broken"),
        ("<p>1 > 0, and 2 < 3", "1 > 0, and 2 < 3"),
        ("", ""),
    ],
)
def test_a_text_is_made_from_html(html: str, text: str) -> None:
    assert plain_text(html) == text


@pytest.mark.parametrize("html", ["<a " * 10_000, "<img src=" * 5_000, "<a>x" * 20_000 + "</a>" * 20_000])
def test_a_text_is_made_of_broken_html_in_time(html: str) -> None:
    began = time.process_time()
    plain_text(html)
    assert time.process_time() - began < 0.5


def test_html_alone_gets_a_text_part_without_the_preheader() -> None:
    with relay() as side:
        send(config(side.port), outgoing(html="<p>Paid</p>", text="", preheader="In short"))
        [mail] = side.mails
    assert content_of(mail, "plain") == "Paid"
    assert content_of(mail, "html").startswith("<div style=")


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\x00"])
def test_a_header_cannot_be_smuggled_in(line_break: str) -> None:
    with relay() as side:
        send(
            config(side.port),
            outgoing(subject=f"Hi{line_break}Bcc: eve@example.net{line_break}{line_break}x"),
        )
        [mail] = side.mails
        [envelope] = side.envelopes
    assert mail["Subject"] == "Hi Bcc: eve@example.net x"
    assert mail["Bcc"] is None
    assert envelope.rcpt_tos == ["ann@example.org"]


REFUSALS: list[tuple[str, str, type[ChannelError], str]] = [
    ("RCPT", "550 5.1.1 <ann@example.org>: no such user", Unreachable, "5.1.1"),
    ("RCPT", "550 5.1.2 no such domain", Unreachable, "5.1.2"),
    ("RCPT", "550 5.1.6 moved away", Unreachable, "5.1.6"),
    ("RCPT", "550 5.1.10 null MX", Unreachable, "5.1.10"),
    ("RCPT", "550 no mailbox here", Unreachable, "550"),
    ("RCPT", "550 sorry, no mailbox here by that name. (#5.1.1)", Unreachable, "5.1.1"),
    ("RCPT", "550 5.2.1 mailbox disabled", Unreachable, "5.2.1"),
    ("RCPT", "552 5.2.2 mailbox full", Temporary, "5.2.2"),
    ("RCPT", "552 mailbox full", Temporary, "552"),
    ("RCPT", "452 4.2.2 mailbox full", Temporary, "4.2.2"),
    ("RCPT", "451 4.7.1 greylisted", Temporary, "4.7.1"),
    ("RCPT", "450 4.1.1 cannot check this address now", Temporary, "4.1.1"),
    ("RCPT", "421 4.3.2 shutting down", Temporary, "4.3.2"),
    ("RCPT", "550 5.7.1 your reputation is poor", Refused, "5.7.1"),
    ("RCPT", "550 blocked, see 5.1.1.7", Unreachable, "550"),
    ("RCPT", "554 relay access denied", Refused, "554"),
    ("RCPT", "530 5.7.0 log in first", Misconfigured, "5.7.0"),
    ("RCPT", "501 malformed", Unreachable, "501"),
    ("RCPT", "599 9.9.9 never heard of", Refused, "599"),
    ("DATA", "554 5.7.1 looks like spam", Refused, "5.7.1"),
    ("DATA", "554 no", Refused, "554"),
    ("DATA", "550 5.1.1 checked late", Unreachable, "5.1.1"),
    ("DATA", "552 5.3.4 too large", Refused, "5.3.4"),
    ("DATA", "451 4.3.0 try later", Temporary, "4.3.0"),
    ("MAIL", "550 5.1.8 your domain is unknown", Misconfigured, "5.1.8"),
    ("MAIL", "553 not yours", Misconfigured, "553"),
    ("MAIL", "535 5.7.8 log in first", Misconfigured, "5.7.8"),
    ("MAIL", "530 5.7.0 log in first", Misconfigured, "5.7.0"),
    ("MAIL", "534 5.7.9 this way of logging in is too weak", Misconfigured, "5.7.9"),
    ("MAIL", "451 4.3.0 try later", Temporary, "4.3.0"),
    ("MAIL", "421 4.7.0 too many mails", Temporary, "421"),
]


@pytest.mark.parametrize(("stage", "answer", "kind", "code"), REFUSALS)
def test_an_answer_has_one_meaning(stage: str, answer: str, kind: type[ChannelError], code: str) -> None:
    with relay({stage: answer}) as side:
        [error] = send(config(side.port))
    assert isinstance(error, kind)
    assert error.code == code
    assert "ann@example.org" not in error.detail
    assert not getattr(error, "maybe_sent", False)


def test_a_refused_sender_speaks_of_the_sender_alone() -> None:
    with relay({"MAIL": "550 5.7.1 not your domain"}) as side:
        [error] = send(config(side.port))
    assert isinstance(error, Misconfigured)
    assert error.scope is Scope.SENDER


def test_one_refused_address_among_several_is_known_as_that_one() -> None:
    """A mail to several would be a success to smtplib as soon as one of them is taken."""
    with relay({"RCPT bob@example.org": "550 5.1.1 no such user"}) as side:
        ann, bob, eve = send(
            config(side.port), outgoing(), outgoing("bob@example.org"), outgoing("eve@example.org")
        )
        assert [each.rcpt_tos for each in side.envelopes] == [["ann@example.org"], ["eve@example.org"]]
    assert isinstance(bob, Unreachable)
    assert isinstance(ann, Sent)
    assert isinstance(eve, Sent)


def test_after_a_refusal_the_connection_is_used_again() -> None:
    with relay({"RCPT": "550 5.1.1 no such user"}) as side:
        send(config(side.port), outgoing(), outgoing(), outgoing())
        assert side.greetings == 1
        assert len(side.senders) == 3


@pytest.mark.parametrize(("stage", "maybe_sent"), [("MAIL", False), ("RCPT", False), ("DATA", True)])
def test_a_lost_connection_leaves_doubt_only_after_data(stage: str, maybe_sent: bool) -> None:
    with relay({stage: DROP}) as side:
        [error] = send(config(side.port))
    assert isinstance(error, Temporary)
    assert error.code == "connection_lost"
    assert error.maybe_sent is maybe_sent


def test_a_server_that_does_not_answer_in_time_leaves_doubt() -> None:
    with relay({"DATA": HANG}) as side:
        [error] = send(config(side.port, timeout_s=1))
    assert isinstance(error, Temporary)
    assert error.maybe_sent


def test_connections_stay_open_between_mails() -> None:
    with relay() as side:
        results = send(config(side.port), *[outgoing()] * 20)
        assert len(side.mails) == len(results) == 20
        assert side.greetings == 1


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again() -> None:
    with relay(timeout=0.1) as side:
        results = send(config(side.port), outgoing(), outgoing(), pause=0.3)
        assert all(isinstance(each, Sent) for each in results)
        assert side.greetings == len(side.mails) == 2


def test_a_goodbye_on_a_kept_connection_leads_to_a_fresh_one() -> None:
    async def scenario(side: Relay) -> None:
        adapter = SmtpAdapter(config(side.port))
        await adapter.send(outgoing())
        side.answers["MAIL"] = "421 4.4.2 that was enough"
        with pytest.raises(Temporary):
            await adapter.send(outgoing())
        await adapter.close()

    with relay() as side:
        asyncio.run(scenario(side))
        assert side.greetings == 2


def test_several_connections_work_at_the_same_time() -> None:
    async def scenario(side: Relay) -> list[Sent | ChannelError]:
        adapter = SmtpAdapter(config(side.port, connections=4))
        try:
            return await adapter.send_many([outgoing()] * 40)
        finally:
            await adapter.close()

    with relay() as side:
        results = asyncio.run(scenario(side))
        assert all(isinstance(each, Sent) for each in results)
        assert len(side.mails) == 40
        assert 1 < side.greetings <= 4


def test_a_closed_adapter_takes_no_mail() -> None:
    async def scenario() -> None:
        adapter = SmtpAdapter(config(free_port()))
        await adapter.close()
        await adapter.send(outgoing())

    with pytest.raises(Temporary):
        asyncio.run(scenario())


def test_a_server_that_is_not_there_is_a_passing_fault() -> None:
    [error] = send(config(free_port()))
    assert isinstance(error, Temporary)
    assert not error.maybe_sent


def test_an_address_outside_ascii_goes_to_a_server_that_can_take_it() -> None:
    with relay(enable_SMTPUTF8=True) as side:
        [sent, _] = send(config(side.port), outgoing("用户@例子.中国"), outgoing())
        first, second = side.envelopes
    assert isinstance(sent, Sent)
    assert first.rcpt_tos == ["用户@例子.中国"]
    assert "SMTPUTF8" in first.mail_options
    assert parsed(first.content)["To"] == "用户@例子.中国"
    assert "SMTPUTF8" not in second.mail_options


def test_and_not_to_one_that_cannot() -> None:
    with relay(enable_SMTPUTF8=False) as side:
        [error, sent] = send(config(side.port), outgoing("用户@example.org"), outgoing())
    assert isinstance(error, Unreachable)
    assert isinstance(sent, Sent)


def test_a_domain_outside_ascii_needs_no_such_server() -> None:
    with relay(enable_SMTPUTF8=False) as side:
        [sent] = send(config(side.port), outgoing("bob@b\u00fccher.example"))
        [envelope] = side.envelopes
    assert isinstance(sent, Sent)
    assert envelope.rcpt_tos == ["bob@xn--bcher-kva.example"]


def check_password(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, credentials: LoginPassword
) -> AuthResult:
    return AuthResult(success=credentials == LoginPassword(b"shop", b"right"), handled=False)


def test_the_right_password_is_taken() -> None:
    with relay(authenticator=check_password, auth_require_tls=False) as side:
        [sent] = send(config(side.port, username="shop", password="right"))
        [mail] = side.mails
    assert isinstance(sent, Sent)
    assert mail["To"] == "ann@example.org"


@pytest.mark.parametrize(("password", "code"), [("wrong", "5.7.8"), ("", "5.7.8"), ("pässword", "not_ascii")])
def test_a_wrong_password_is_a_fault_of_the_account(password: str, code: str) -> None:
    with relay(authenticator=check_password, auth_require_tls=False) as side:
        [error] = send(config(side.port, username="shop", password=password))
    assert isinstance(error, Misconfigured)
    assert error.scope is Scope.ACCOUNT
    assert error.code == code


@pytest.mark.parametrize("changes", [{"security": "starttls"}, {"username": "shop", "password": "right"}])
def test_what_the_server_does_not_offer_is_a_fault_of_the_account(changes: dict[str, str]) -> None:
    with relay() as side:
        [error] = send(config(side.port, **changes))
        assert side.senders == []
    assert isinstance(error, Misconfigured)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 together with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "relay.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(encoding))
    return path


def encrypted_relay(security: str, certificate: Path) -> AbstractContextManager[Relay]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return (
        relay(ssl_context=context) if security == "tls" else relay(tls_context=context, require_starttls=True)
    )


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_encrypted_to_a_server_with_a_trusted_certificate(
    security: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with encrypted_relay(security, certificate) as side:
        [sent] = send(config(side.port, security=security))
    assert isinstance(sent, Sent)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_and_not_to_a_server_with_another(security: str, certificate: Path) -> None:
    with encrypted_relay(security, certificate) as side:
        [error] = send(config(side.port, security=security))
        assert side.senders == []
    assert isinstance(error, Misconfigured)
    assert error.code == "tls"


# --- Leaving, and returning -------------------------------------------------------------------------------

LEAVE = "https://push.example.com/u/" + "t" * 300
BOUNCES = {"bounce_address": "Bounce@mail.example.com", "bounce_secret": "s-1"}


def test_the_way_to_leave_stands_on_one_line_each() -> None:
    message = Outgoing(
        id=DELIVERY,
        address=Address(kind="email", value="ann@example.org"),
        content={"subject": "Hi", "text": "Hello"},
        unsubscribe_url=LEAVE,
    )
    with relay() as side:
        send(config(side.port), message, outgoing())
        [leaving, staying] = side.envelopes
    assert isinstance(leaving.content, bytes)
    lines = leaving.content.split(b"\r\n\r\n")[0].split(b"\r\n")
    assert f"List-Unsubscribe: <{LEAVE}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert parsed(leaving.content)["Subject"] == "Hi"
    assert parsed(staying.content)["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        (LEAVE, {"List-Unsubscribe": f"<{LEAVE}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}),
        # RFC 8058 has the button over HTTPS alone, RFC 2369 a link over either.
        ("http://localhost/u/t", {"List-Unsubscribe": "<http://localhost/u/t>"}),
        ("", {}),
    ],
)
def test_the_button_for_leaving_needs_https(url: str, headers: dict[str, str]) -> None:
    assert unsubscribe_headers(msgspec.structs.replace(outgoing(), unsubscribe_url=url)) == headers


def returning_address() -> str:
    """The envelope's sender of a mail that went out with a bounce address."""
    with relay() as side:
        send(config(side.port, **BOUNCES))
        [envelope], [mail] = side.envelopes, side.mails
    assert mail["From"] == "Shop <shop@example.com>"
    return str(envelope.mail_from)


def test_every_mail_returns_to_an_address_of_its_own() -> None:
    address = returning_address()
    local, _, domain = address.rpartition("@")
    assert domain == "mail.example.com"
    assert local.startswith(f"Bounce+{DELIVERY}.")
    assert len(local) <= 64


#: RFC 3464, appendix E.1, and what comes back of the mail.
RETURNED = """Date: Thu, 7 Jul 1994 17:16:05 -0400
From: Mail Delivery Subsystem <MAILER-DAEMON@CS.UTK.EDU>
Message-Id: <199407072116.RAA14128@CS.UTK.EDU>
Subject: Returned mail: Cannot send message for 5 days
To: <{to}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
      boundary="RAA14128.773615765/CS.UTK.EDU"

--RAA14128.773615765/CS.UTK.EDU

The original message was received at Sat, 2 Jul 1994 17:10:28 -0400
from root@localhost

--RAA14128.773615765/CS.UTK.EDU
content-type: message/delivery-status

Reporting-MTA: dns; cs.utk.edu

Original-Recipient: rfc822;louisl@larry.slip.umd.edu
Final-Recipient: rfc822;louisl@larry.slip.umd.edu
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said} <louisl@larry.slip.umd.edu>
  connection timed out
Last-Attempt-Date: Thu, 7 Jul 1994 17:15:49 -0400

--RAA14128.773615765/CS.UTK.EDU
content-type: {attached}

From: Shop <shop@example.com>
Message-ID: <{delivery}@example.com>

--RAA14128.773615765/CS.UTK.EDU--
"""


def returned(
    to: str,
    action: str = "failed",
    attached: str = "message/rfc822",
    delivery: str = DELIVERY,
    status: str = "4.0.0",
    said: str = "426",
) -> bytes:
    fields = {"to": to, "action": action, "attached": attached, "delivery": delivery}
    return RETURNED.format(**fields, status=status, said=said).encode()


def read(body: bytes, **changes: str) -> list[Receipt]:
    adapter = SmtpAdapter(config(25, **changes))
    try:
        return list(adapter.receipts(Callback(headers={}, query={}, body=body, url="")))
    finally:
        asyncio.run(adapter.close())


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("failed", Outcome.UNDELIVERED),
        ("Failed", Outcome.UNDELIVERED),
        ("delivered", Outcome.DELIVERED),
        ("expanded", Outcome.DELIVERED),
        ("relayed", Outcome.SENT),
        ("delayed", Outcome.UNKNOWN),
        ("something new", Outcome.UNKNOWN),
    ],
)
def test_a_mail_that_returns_is_a_receipt(action: str, outcome: Outcome) -> None:
    to = returning_address()
    for address in (to, to.lower(), f"{to}>, <other@example.com"):
        [receipt] = read(returned(address, action), **BOUNCES)
        assert receipt == Receipt(
            provider_id=f"<{DELIVERY}@example.com>",
            delivery_id=DELIVERY,
            outcome=outcome,
            at=datetime(1994, 7, 7, 21, 16, 5, tzinfo=UTC),
            code="4.0.0",
            reason="smtp; 426 <<recipient>> connection timed out",
        )


@pytest.mark.parametrize(
    ("action", "status", "said", "dead"),
    [
        ("failed", "5.1.1", "550", True),
        ("failed", "5.1.10", "556", True),
        ("failed", "5.2.1", "550", True),
        ("failed", "5.4.4", "550", True),
        ("failed", "5.0.0", "550 5.1.1", True),  # the status is general, the server's words are not
        ("failed", "5.1.1", "550 5.7.1", True),
        ("failed", "5.0.0", "550", False),
        ("failed", "5.1.8", "550", False),  # our own address
        ("failed", "5.2.2", "552", False),  # full
        ("failed", "5.7.1", "554 5.7.1", False),  # policy
        ("failed", "4.4.7", "426", False),  # nobody answered for days
        ("failed", "", "from 5.1.1.7", False),
        ("delayed", "5.1.1", "550", False),
    ],
)
def test_a_mail_that_returns_can_tell_that_its_address_is_dead(
    action: str, status: str, said: str, dead: bool
) -> None:
    receipts = read(returned(returning_address(), action, status=status, said=said), **BOUNCES)
    assert [each.outcome for each in receipts[1:]] == ([Outcome.UNREACHABLE] if dead else [])
    assert {each.delivery_id for each in receipts} == {DELIVERY}


def test_a_code_means_the_same_at_once_and_later() -> None:
    codes = [f"5.{second}.{third}" for second in range(1, 8) for third in range(1, 25)]
    for code in codes:
        at_once = meaning(Stage.RCPT, 599, f"{code} no")
        assert isinstance(at_once, Unreachable) is is_dead(code), code


@pytest.mark.parametrize("attached", ["message/rfc822", "text/rfc822-headers"])
def test_without_a_bounce_address_the_mail_is_known_by_what_is_attached(attached: str) -> None:
    [receipt] = read(returned("shop@example.com", attached=attached))
    assert (receipt.provider_id, receipt.delivery_id) == (f"<{DELIVERY}@example.com>", "")
    assert receipt.outcome is Outcome.UNDELIVERED


@pytest.mark.parametrize(
    ("to", "changes"),
    [
        (f"bounce+{DELIVERY}.0123456789@mail.example.com", BOUNCES),
        (f"bounce+{DELIVERY}@mail.example.com", BOUNCES),
        ("shop@example.com", BOUNCES),
        ("", BOUNCES),
    ],
)
def test_a_mail_to_an_invented_address_is_forged(to: str, changes: dict[str, str]) -> None:
    with pytest.raises(ForgedCallback):
        read(returned(to), **changes)


def test_an_address_is_good_for_its_own_delivery_and_secret() -> None:
    to = returning_address()
    with pytest.raises(ForgedCallback):
        read(returned(to.replace("000001", "000002")), **BOUNCES)
    with pytest.raises(ForgedCallback):
        read(returned(to), **BOUNCES | {"bounce_secret": "another"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\x00",
        b"Content-Type: multipart/report; boundary=x\n\n--x",
        returned("x", attached="text/plain"),
    ],
)
def test_what_returns_no_mail_of_ours_is_not_believed(body: bytes) -> None:
    with pytest.raises(ForgedCallback):
        read(body)


#: RFC 5965, appendix B.2, shortened.
COMPLAINT = """From: <abusedesk@example.com>
Date: Thu, 8 Mar 2005 17:40:36 EDT
Subject: FW: Earn money
To: <complaints@example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1_13d.2e68ed54_boundary"

--part1_13d.2e68ed54_boundary
Content-Type: text/plain

This is an email abuse report.

--part1_13d.2e68ed54_boundary
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1

--part1_13d.2e68ed54_boundary
Content-Type: {attached}
Content-Disposition: inline

Return-Path: <{sender}>
From: Shop <shop@example.com>
Message-ID: <{delivery}@example.com>
Subject: Paid

Thank you

--part1_13d.2e68ed54_boundary--
"""


@pytest.mark.parametrize("attached", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize(
    ("kind", "outcomes"),
    [("abuse", [Outcome.COMPLAINED]), ("Fraud", [Outcome.COMPLAINED]), ("virus", []), ("not-spam", [])],
)
def test_a_complaint_that_a_mailbox_provider_passes_on_is_a_receipt(
    kind: str, outcomes: list[Outcome], attached: str
) -> None:
    fields = {"kind": kind, "attached": attached, "delivery": DELIVERY}
    receipts = read(COMPLAINT.format(sender=returning_address(), **fields).encode(), **BOUNCES)
    assert [each.outcome for each in receipts] == outcomes
    assert {each.delivery_id for each in receipts} <= {DELIVERY}
    unsigned = COMPLAINT.format(sender="shop@example.com", **fields).encode()
    assert [each.provider_id for each in read(unsigned)] == [f"<{DELIVERY}@example.com>"] * len(outcomes)
    with pytest.raises(ForgedCallback):
        read(unsigned, **BOUNCES)


def test_an_absence_note_says_nothing() -> None:
    note = f"To: {returning_address()}\nSubject: I am away\nAuto-Submitted: auto-replied\n\nUntil Monday.\n"
    assert read(note.encode(), **BOUNCES) == []


@pytest.mark.parametrize("date", ["", "Date: soon\n"])
def test_a_receipt_without_a_time_counts_all_the_same(date: str) -> None:
    body = returned("shop@example.com").replace(b"Date: Thu, 7 Jul 1994 17:16:05 -0400\n", date.encode(), 1)
    assert [each.at for each in read(body)] == [None]


FORM = {
    "host": "smtp.example.com",
    "port": "587",
    "security": "starttls",
    "from_address": "Shop <shop@example.com>",
    "timeout_s": "10",
    "connections": "4",
}


def test_a_complete_form_is_taken() -> None:
    form = SmtpAdapter.Config(FORM)
    assert form.is_valid(), form.errors
    asyncio.run(SmtpAdapter(form.cleaned_data).close())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("from_address", ""),
        ("from_address", "shop"),
        ("from_address", "a@example.com, b@example.com"),
        ("from_address", "Shop\nBcc: eve@example.net <shop@example.com>"),
        ("from_address", "商店 <商店@example.com>"),
        ("reply_to", "nobody"),
        ("port", "0"),
        ("port", "65536"),
        ("security", "ssl3"),
        ("timeout_s", "0"),
        ("connections", "33"),
        ("bounce_address", "bounce"),
        ("bounce_address", "a-name-that-is-too-long@example.com"),
    ],
)
def test_a_wrong_setting_is_named(field: str, value: str) -> None:
    assert list(SmtpAdapter.Config(FORM | {field: value}).errors) == [field]


def test_a_bounce_address_needs_a_secret() -> None:
    form = FORM | {"bounce_address": "bounce@example.com"}
    assert list(SmtpAdapter.Config(form).errors) == ["bounce_secret"]
    assert SmtpAdapter.Config(form | {"bounce_secret": "s"}).is_valid()
