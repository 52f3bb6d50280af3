from email.message import EmailMessage
from pathlib import Path

import pytest

from pushcenter.demo.mails import read_mail
from pushcenter.demo.shelf import Shelf
from tests.demo.receivers import ORIGIN, receivers

SCRIPT = "<script>alert(1)</script>"


def mail(subject: str = "Order SO-7", html: str = "<p>Paid</p>") -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "Shop <shop@example.com>", "li@example.com"
    message["X-Push-Center-Delivery"] = "d-1"
    message.set_content("Paid")
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


def test_a_mail_is_kept_listed_and_shown(tmp_path: Path) -> None:
    with receivers(tmp_path) as world:
        assert "No mail yet" in world.page("/").body
        world.deliver(mail("您的订单 SO-7 已付款"))
        (listed,) = world.api.get("/api/mails").value["mails"]
        assert (listed["number"], listed["subject"]) == (1, "您的订单 SO-7 已付款")
        assert (listed["to"], listed["delivery"]) == ("li@example.com", "d-1")
        assert "您的订单 SO-7 已付款" in world.page("/").body
        shown = world.page("/mail/1").body
        assert all(part in shown for part in ("Shop &lt;shop@example.com&gt;", "li@example.com", "Paid"))
        assert "Delivered-To: li@example.com" in world.page("/mail/1.eml").body


def test_a_restart_keeps_the_mails(tmp_path: Path) -> None:
    with receivers(tmp_path) as world:
        world.deliver(mail("First"))
    with receivers(tmp_path) as world:
        world.deliver(mail("Second"))
        subjects = [each["subject"] for each in world.api.get("/api/mails").value["mails"]]
    assert subjects == ["Second", "First"]


def test_nothing_that_a_mail_says_becomes_part_of_the_page(tmp_path: Path) -> None:
    with receivers(tmp_path) as world:
        world.deliver(mail(f'{SCRIPT}"><img src=x>', html=f"{SCRIPT}</iframe>"))
        for path in ("/", "/mail/1"):
            page = world.page(path)
            assert "<script>" not in page.body
            assert "<img" not in page.body
            assert "script-src 'self'" in page.headers["Content-Security-Policy"]
            assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_the_html_of_a_mail_is_shown_without_any_rights(tmp_path: Path) -> None:
    with receivers(tmp_path) as world:
        world.deliver(mail(html=f"{SCRIPT}<p>Paid</p>"))
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in world.page("/mail/1").body
        letter = world.page("/mail/1/html")
    policy = letter.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';")
    assert f"img-src data: {ORIGIN};" in policy
    assert "script-src" not in policy
    assert "<p>Paid</p>" in letter.body


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"Subject: =?utf-8?b?%%%?=\r\n\r\nx",
        b"Subject: =?no-such-charset?q?x?=\r\n\r\nx",
        b"Subject: \xe4\xbd\xa0\r\nContent-Type: text/html; charset=no-such\r\n\r\n\xff",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n",
        b"Content-Type: text/plain; charset*=x''%ff\r\nContent-Transfer-Encoding: base64\r\n\r\n!",
        b"".join(
            b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (depth, depth)
            for depth in range(2000)
        ),
    ],
)
def test_a_mail_that_nobody_can_read_is_shown_raw(raw: bytes) -> None:
    assert read_mail(1, raw).raw == raw.decode(errors="replace")


def test_a_malformed_mail_does_not_disturb_the_list(tmp_path: Path) -> None:
    with receivers(tmp_path) as world:
        world.deliver(
            b"Subject: \xe4\xbd\xa0\xe5\xa5\xbd \xff\r\nContent-Type: text/html; charset=x\r\n\r\n\xff"
        )
        assert world.page("/").status == 200
        assert world.page("/mail/1").status == 200
        assert "你好" in world.api.get("/api/mails").value["mails"][0]["subject"]


@pytest.mark.parametrize(
    "path", ["/mail/9", "/mail/9.eml", "/mail/9/html", "/webhook/9", "/nowhere", "/mail/x"]
)
def test_what_is_not_there_has_a_page_that_says_so(tmp_path: Path, path: str) -> None:
    with receivers(tmp_path) as world:
        page = world.page(path)
    assert (page.status, "Nothing here" in page.body) == (404, True)


def test_a_shelf_lets_go_of_the_oldest(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ".eml", limit=2)
    numbers = [shelf.add(content) for content in (b"a", b"b", b"c")]
    assert numbers == [1, 2, 3]
    assert (shelf.get(1), shelf.get(3), list(shelf.newest_first())) == (None, b"c", [3, 2])
    assert Shelf(tmp_path, ".eml", limit=2).add(b"d") == 4
