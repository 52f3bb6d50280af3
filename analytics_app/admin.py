"""The hourly figures as they are stored; people read the report."""

from django.contrib import admin
from unfold.contrib.filters.admin import RelatedDropdownFilter

from analytics_app.models import MEASURES, HourlyStat
from pushcenter.log_admin import LogAdmin


@admin.register(HourlyStat)
class HourlyStatAdmin(LogAdmin):
    time_field = "hour"
    list_display = (
        "when",
        "system",
        "template",
        "channel",
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
    fields = ("hour", "system", "template", "channel", *MEASURES)
