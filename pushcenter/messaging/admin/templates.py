"""Templates can be stopped on their pages."""

from typing import Any

from django.contrib import admin

from pushcenter.messaging.admin.stoppable import Stoppable
from pushcenter.messaging.models import StopKind
from templates_app.admin.template import TemplateAdmin
from templates_app.models import Template

admin.site.unregister(Template)


@admin.register(Template)
class StoppableTemplateAdmin(Stoppable, TemplateAdmin):
    stop_kind = StopKind.TEMPLATE
    actions_detail: Any = (*TemplateAdmin.actions_detail, "pause", "resume")
