"""The hourly figures as they are stored; people read the report."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display

from analytics_app.models import MEASURES, HourlyStat
from channels_app import registry
from pushcenter.log_admin import LogAdmin


@admin.register(HourlyStat)
class HourlyStatAdmin(LogAdmin):
    time_field = "hour"
    list_display = (
        "when",
        "system",
        "template",
        "channel_shown",
        "accepted",
        "sent",
        "delivered",
        "opened",
        "failed",
    )
    list_filter = (("system", RelatedDropdownFilter), ("template", RelatedDropdownFilter))
    list_filter_submit = True
    list_select_related = ("system", "template")
    ordering = ("-hour", "-system", "-template", "-channel")
    search_fields = ()
    search_help_text = None
    fields = ("hour", "system", "template", "channel_shown", *MEASURES)

    @display(description=_("channel"))
    def channel_shown(self, obj: HourlyStat) -> str:
        return str(registry.label(obj.channel))
