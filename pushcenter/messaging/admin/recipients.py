"""Recipients in the console: who is deleted there is forgotten in the record, too."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from pushcenter.messaging import erasure
from pushcenter.recipients.admin import RecipientAdmin
from pushcenter.recipients.models import Recipient

# Takes the place of the page of the tier below, which knows of no messages.
admin.site.unregister(Recipient)


@admin.register(Recipient)
class ErasingRecipientAdmin(RecipientAdmin):
    def delete_model(self, request: HttpRequest, obj: Recipient) -> None:
        erasure.erase([obj.pk], by=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        erasure.erase(queryset.values_list("pk", flat=True), by=request.user.get_username())
