"""The report page: its figures, its questions, its file."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from analytics_app.export import harmless
from analytics_app.models import HourlyStat
from analytics_app.report import rate
from tests import factories
from tests.admin.conftest import AsRole

URL = "/admin/reports/"
MARCH = {"start": "2026-03-01", "end": "2026-03-03"}


@pytest.fixture
def figures(db: None) -> None:
    shop, erp = factories.system(), factories.system("erp", name="=ERP")
    paid, welcome = factories.template(), factories.template("welcome")
    mails = {"accepted": 10, "sent": 8, "delivered": 6, "opened": 2, "failed": 1, "skipped": 1}
    texts = {"accepted": 4, "sent": 4, "delivered": 3, "undelivered": 1}
    late = {"accepted": 5, "sent": 1, "expired": 2, "cancelled": 1, "in_doubt": 1}
    rows: list[tuple[datetime, Any, Any, str, dict[str, int]]] = [
        (datetime(2026, 3, 1, 10, tzinfo=UTC), shop, paid, "email", mails),
        (datetime(2026, 3, 1, 23, tzinfo=UTC), shop, paid, "sms", texts),
        (datetime(2026, 3, 3, 0, tzinfo=UTC), erp, welcome, "email", late),
        (datetime(2026, 3, 4, 0, tzinfo=UTC), erp, welcome, "email", {"accepted": 999}),
        (datetime(2026, 2, 28, 23, tzinfo=UTC), erp, welcome, "email", {"accepted": 999}),
    ]
    for hour, system, template, channel, measures in rows:
        HourlyStat.objects.create(hour=hour, system=system, template=template, channel=channel, **measures)


def lines(client: Client, **question: str) -> dict[str, tuple[int, ...]]:
    report = client.get(URL, {**MARCH, **question}).context["report"]
    return {
        line.label: tuple(
            getattr(line.figures, name) for name in ("accepted", "sent", "delivered", "opened", "lost")
        )
        for line in report.lines
    }


def test_by_day_with_the_days_on_which_nothing_happened(figures: None, admin_client: Client) -> None:
    assert lines(admin_client) == {
        "2026-03-01": (14, 12, 9, 2, 2),
        "2026-03-02": (0, 0, 0, 0, 0),
        "2026-03-03": (5, 1, 0, 0, 2),
    }


def test_by_channel_template_and_system_the_greatest_first(figures: None, admin_client: Client) -> None:
    assert list(lines(admin_client, group="channel").items()) == [
        ("Email", (15, 9, 6, 2, 3)),
        ("SMS", (4, 4, 3, 0, 1)),
    ]
    assert list(lines(admin_client, group="template")) == ["order-paid", "welcome"]
    assert lines(admin_client, group="system") == {"Shop": (14, 12, 9, 2, 2), "=ERP": (5, 1, 0, 0, 2)}


def test_totals_and_rates_follow_from_the_rows(figures: None, admin_client: Client) -> None:
    total = admin_client.get(URL, MARCH).context["report"].total
    assert (total.accepted, total.sent, total.delivered, total.opened) == (19, 13, 9, 2)
    assert (total.lost, total.left_out, total.in_doubt) == (4, 2, 1)
    assert total.sent_rate == pytest.approx(100 * 13 / 19)
    assert total.delivered_rate == pytest.approx(100 * 9 / 13)
    assert rate(1, 0) is None


def test_filters_narrow_the_report(figures: None, admin_client: Client) -> None:
    system = str(factories.system("erp").pk)
    assert lines(admin_client, channel="sms")["2026-03-01"] == (4, 4, 3, 0, 1)
    assert lines(admin_client, system=system)["2026-03-01"] == (0, 0, 0, 0, 0)


def test_days_begin_at_midnight_of_the_time_zone(
    figures: None, admin_client: Client, settings: Settings
) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    found = lines(admin_client)
    # 23:00 UTC on 1 March is the morning of the 2nd there, and that of 28 February belongs to the 1st.
    assert (found["2026-03-01"][0], found["2026-03-02"][0], found["2026-03-03"][0]) == (1009, 4, 5)


def test_an_empty_period_says_so(figures: None, admin_client: Client) -> None:
    page = admin_client.get(URL, {"start": "2020-01-01", "end": "2020-01-02"}).content.decode()
    assert "No figures in this period" in page


@pytest.mark.parametrize(
    "question",
    [
        {"start": "yesterday"},
        {"start": "2026-03-02", "end": "2026-03-01"},
        {"start": "2020-01-01", "end": "2026-01-01"},
        {"start": "0001-01-01"},
        {"end": "9999-12-31"},
        {"period": "365"},
        {"channel": "pigeon"},
        {"template": "x"},
        {"system": "018f0000-0000-7000-8000-000000000000"},
        {"group": "moon"},
        {"group": "moon", "format": "csv"},
        {"channel": "\x00"},
    ],
)
def test_a_bad_question_is_an_error_in_the_form(
    question: dict[str, str], figures: None, admin_client: Client
) -> None:
    answer = admin_client.get(URL, question)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert 'class="pc-error"' in answer.content.decode()


@pytest.mark.parametrize(
    "question", [{}, {"period": "7"}, {"start": "2999-12-31"}, {"end": "2000-01-01"}, {"period": ""}]
)
def test_what_is_not_asked_for_has_a_default(
    question: dict[str, str], figures: None, admin_client: Client
) -> None:
    answer = admin_client.get(URL, question)
    assert not answer.context["form"].errors


def test_the_file_has_every_measure_and_no_formula(figures: None, admin_client: Client) -> None:
    answer = admin_client.get(URL, {**MARCH, "group": "system", "format": "csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "report-system-2026-03-01-2026-03-03.csv" in answer["Content-Disposition"]
    text = answer.content.decode()
    assert text.startswith("\ufeffsystem,accepted,sent,delivered,")
    assert "\r\nShop,14,12,9,2," in text
    assert "\r\n'=ERP,5,1,0,0," in text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_the_report_needs_its_right(figures: None, as_role: AsRole) -> None:
    assert as_role("Analysts").get(URL).status_code == 200
    assert as_role("Template editors").get(URL).status_code == 403
    assert Client().get(URL).status_code == 302


def test_todays_figures_stand_on_the_first_page(figures: None, admin_client: Client) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    HourlyStat.objects.filter(accepted=10).update(hour=now)
    assert admin_client.get(reverse("admin:index")).context["dashboard"].today.accepted == 10
