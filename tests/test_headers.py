"""What every answer says to browsers."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/api/docs", "/api/nothing", "/healthz", "/static/css/console.css"]
)
def test_every_answer_has_a_policy_that_allows_our_own_scripts_alone(client: Client, path: str) -> None:
    answer = client.get(path)
    answer.close()
    policy = answer.headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert scripts == "script-src 'self' 'unsafe-eval'"
    assert "default-src 'self'" in policy


def test_no_page_can_be_framed(client: Client) -> None:
    answer = client.get("/admin/login/")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
