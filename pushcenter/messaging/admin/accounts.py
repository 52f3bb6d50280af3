"""How an account has been doing of late, on its page in the console."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from channels_app.admin import AccountAdmin
from channels_app.models import Account
from pushcenter.messaging.models import Attempt, AttemptOutcome, CallVerdict, ReceiptCall

#: Rows that are looked through for those of one account: the newest of all, because a table of attempts is too
#: large to be asked about one account's.
LOOKED_THROUGH = 5000
SHOWN = 10

admin.site.unregister(Account)


@admin.register(Account)
class AccountWithHealth(AccountAdmin):
    def get_fieldsets(self, request: HttpRequest, obj: Account | None = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        return [*sets, (_("Health"), {"fields": ("health",)})] if obj else sets

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[str, ...]:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "health") if obj else fields

    @display(description=_("of late"))
    def health(self, obj: Account) -> str:
        attempts = recent_attempts(obj)
        context = {
            "outcomes": _counts([each.outcome for each in attempts], AttemptOutcome),
            "calls": _counts(recent_calls(obj), CallVerdict),
            "troubles": [each for each in attempts if each.outcome != AttemptOutcome.SENT][:SHOWN],
            "milliseconds": _median([each.milliseconds for each in attempts]),
        }
        return render_to_string("admin/messaging/account_health.html", context)


def recent_attempts(account: Account) -> list[Attempt]:
    """Its own among the newest attempts of all, newest first."""
    newest = Attempt.objects.order_by("-id").values("id")[:LOOKED_THROUGH]
    return list(Attempt.objects.filter(id__in=newest, account=account).order_by("-id"))


def recent_calls(account: Account) -> list[str]:
    """The verdicts on the newest calls of its provider."""
    newest = ReceiptCall.objects.order_by("-id").values("id")[:LOOKED_THROUGH]
    return list(ReceiptCall.objects.filter(id__in=newest, account=account).values_list("verdict", flat=True))


def _counts(values: Iterable[str], labels: Any) -> list[tuple[str, int]]:
    return [(labels(value).label, count) for value, count in Counter(values).most_common()]


def _median(values: list[int]) -> int | None:
    return sorted(values)[len(values) // 2] if values else None
