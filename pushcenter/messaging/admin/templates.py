"""Templates can be stopped on their pages, which tell who sends them and how a canary does."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from pushcenter.messaging.admin import canary
from pushcenter.messaging.admin.stoppable import Stoppable
from pushcenter.messaging.models import StopKind
from templates_app.admin.template import TemplateAdmin
from templates_app.models import Template, VersionState
from templates_app.usage import senders

#: The page is opened for other things, too: no more than a first impression of the canary, in seconds.
PATIENCE = 0.3

admin.site.unregister(Template)


@admin.register(Template)
class StoppableTemplateAdmin(Stoppable, TemplateAdmin):
    stop_kind = StopKind.TEMPLATE
    actions_detail: Any = (*TemplateAdmin.actions_detail, "pause", "resume")
    change_form_outer_before_template: Any = "messaging/canary_of_template.html"
    change_form_outer_after_template: Any = "messaging/senders.html"

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: Template | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        if obj is not None and obj.is_sendable:
            version = obj.versions.filter(state=VersionState.CANARY).first()
            context["canary"] = canary.of_version(version, patience=PATIENCE)
            context["senders"] = senders(obj)
            context["is_sent"] = obj.published is not None
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)
