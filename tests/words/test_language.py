"""The language of the console: the browser's, until somebody chooses; programs are answered in English."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests import factories

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
PASSWORD = "a-long-password"


def language(client: Client, headers: dict[str, str] | None = None) -> str:
    page = client.get(reverse("admin:login"), headers=headers, follow=True).content.decode()
    return page.split('<html lang="')[1].split('"')[0]


def bearer() -> dict[str, str]:
    _key, secret = factories.key()
    return {"Authorization": f"Bearer {secret}"}


def choose(client: Client, code: str) -> None:
    answer = client.post(reverse("admin:language"), {"language": code, "next": "/admin/"})
    assert answer.headers["Location"] == "/admin/"


def log_in(client: Client) -> None:
    answer = client.post(reverse("admin:login"), {"username": "lin", "password": PASSWORD, "next": "/admin/"})
    assert answer.status_code == 302


@pytest.fixture
def lin(db: None) -> User:
    return User.objects.create_superuser("lin", password=PASSWORD)


def test_the_first_visit_follows_the_browser(db: None) -> None:
    assert language(Client(), CHINESE) == "zh-hans"
    assert language(Client(), {"Accept-Language": "de"}) == "en"


def test_the_login_page_offers_both_languages(db: None) -> None:
    page = Client().get(reverse("admin:login"), follow=True).content.decode()
    assert "English" in page
    assert "简体中文" in page


def test_what_was_chosen_outweighs_what_the_browser_asks_for(db: None) -> None:
    client = Client()
    choose(client, "en")
    assert language(client, CHINESE) == "en"


def test_what_is_not_offered_is_not_chosen(db: None) -> None:
    client = Client()
    choose(client, "tlh")
    assert language(client, CHINESE) == "zh-hans"


def test_a_users_language_follows_to_other_browsers(lin: User) -> None:
    office, home = Client(), Client()
    log_in(office)
    choose(office, "zh-hans")
    log_in(home)
    assert language(home) == "zh-hans"


def test_what_is_chosen_on_the_login_page_is_the_users_wish(lin: User) -> None:
    office, home, elsewhere = Client(), Client(), Client()
    log_in(office)
    choose(office, "zh-hans")
    choose(home, "en")
    log_in(home)
    assert language(home, CHINESE) == "en"
    log_in(elsewhere)
    assert language(elsewhere, CHINESE) == "en"


def test_the_api_answers_in_english(db: None) -> None:
    headers = {**CHINESE, **bearer()}
    refused = Client().post("/api/v1/messages", {}, content_type="application/json", headers=headers)
    assert refused.status_code == 422
    assert refused.content.isascii()
    assert "This field is required." in refused.content.decode()
    lost = Client().get("/api/v1/no-such-call", headers=headers)
    assert lost.content.isascii()


def test_the_apis_description_is_in_english(db: None) -> None:
    schema = Client().get("/api/schema", headers=CHINESE).content
    assert schema == Client().get("/api/schema").content


def test_a_request_leaves_no_language_behind(db: None) -> None:
    client = Client()
    assert language(client, CHINESE) == "zh-hans"
    refused = client.post("/api/v1/messages", {}, content_type="application/json", headers=bearer())
    assert refused.content.isascii()


def test_what_goes_wrong_is_told_in_the_language_of_the_browser(lin: User) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(lin)
    assert "页面不存在" in client.get("/no-such-page", headers=CHINESE).content.decode()
    assert "There is no such page" in client.get("/no-such-page").content.decode()
    old = Client(enforce_csrf_checks=True).post(reverse("admin:login"), headers=CHINESE)
    assert old.status_code == 403
    assert "表单已过期" in old.content.decode()
