"""What the pages of templates and versions have of messages: templates can be stopped, versions tried out."""

from typing import Any

from django.contrib import admin

from pushcenter.messaging.admin.stoppable import Stoppable
from pushcenter.messaging.admin.trial_pages import TrialPages
from pushcenter.messaging.models import StopKind
from templates_app.admin.template import TemplateAdmin
from templates_app.admin.version import TemplateVersionAdmin
from templates_app.models import Template, TemplateVersion

admin.site.unregister([Template, TemplateVersion])


@admin.register(Template)
class StoppableTemplateAdmin(Stoppable, TemplateAdmin):
    stop_kind = StopKind.TEMPLATE
    actions_detail: Any = (*TemplateAdmin.actions_detail, "pause", "resume")


@admin.register(TemplateVersion)
class TriedVersionAdmin(TrialPages, TemplateVersionAdmin):
    actions_detail: Any = (*TemplateVersionAdmin.actions_detail, "try_out")
