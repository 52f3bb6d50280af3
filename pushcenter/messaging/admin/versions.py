"""What the pages of versions have of messages: they are tried out and rehearsed, and canaries compared."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from pushcenter.messaging.admin import canary
from pushcenter.messaging.admin.rehearsal_page import RehearsalPages
from pushcenter.messaging.admin.trial_pages import TrialPages
from templates_app.admin.version import TemplateVersionAdmin
from templates_app.models import TemplateVersion

#: How long one waits for the page of a canary, in seconds, before not all of its messages are counted.
PATIENCE = 1.5

admin.site.unregister(TemplateVersion)


@admin.register(TemplateVersion)
class SentVersionAdmin(TrialPages, RehearsalPages, TemplateVersionAdmin):
    # Side by side with the steps of its life they would leave no room for the title.
    actions_detail: Any = (
        {"title": _("Try out"), "icon": "science", "items": ["preview_it", "rehearse", "try_out"]},
        *(each for each in TemplateVersionAdmin.actions_detail if each != "preview_it"),
    )
    change_form_outer_before_template: Any = "messaging/canary.html"

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: TemplateVersion | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        context["canary"] = canary.of_version(obj, patience=PATIENCE)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        version = self.get_object(request, object_id)
        found = super().get_actions_detail(request, object_id)
        if version is None or version.template.is_sendable:
            return found
        return [each for each in found if not each.action_name.endswith("_rehearse")]
