"""What operators do with deliveries that they have selected."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from pushcenter.messaging import operate
from pushcenter.messaging.models import Delivery

Operation = Callable[..., int]
#: More than one click is to wait for.
AT_ONCE = 1_000


class Operations:
    """Adds the operations to a console page of deliveries, for those who have the right to them."""

    actions: Any = ("cancel_selected", "send_again_selected", "close_selected")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.operate_delivery")

    @admin.action(description=_("Cancel what still waits"), permissions=["operate"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        _carry_out(operate.cancel, request, queryset, _("%(done)s of %(selected)s cancelled."))

    @admin.action(description=_("Send again what failed or is in doubt"), permissions=["operate"])
    def send_again_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        _carry_out(operate.send_again, request, queryset, _("%(done)s of %(selected)s are sent again."))

    @admin.action(description=_("Close doubts as failed"), permissions=["operate"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        _carry_out(
            operate.close_as_failed, request, queryset, _("%(done)s of %(selected)s closed as failed.")
        )


def _carry_out(operation: Operation, request: HttpRequest, queryset: QuerySet[Delivery], told: Any) -> None:
    ids: list[UUID] = list(queryset.values_list("pk", flat=True)[: AT_ONCE + 1])
    if len(ids) > AT_ONCE:
        told = _("Select up to %(most)s at once; under Dead letters a whole group is sent again.")
        messages.add_message(request, messages.WARNING, told % {"most": AT_ONCE})
        return
    done = operation(ids, by=request.user.get_username())
    level = messages.SUCCESS if done else messages.WARNING
    messages.add_message(request, level, told % {"done": done, "selected": len(ids)})
