"""The variants of a version, on its page."""

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.decorators import display

from channels_app import registry
from templates_app.models import TemplateVersion, Variant
from templates_app.variant_form import VariantForm


class VariantInline(StackedInline):
    model = Variant
    form = VariantForm
    extra = 0
    verbose_name_plural = _("variants")

    def get_fields(self, request: HttpRequest, obj: TemplateVersion | None = None) -> tuple[str, ...]:
        content = "content" if self.has_change_permission(request, obj) else "content_shown"
        return ("channel", "locale", content)

    def get_readonly_fields(
        self, request: HttpRequest, obj: TemplateVersion | None = None
    ) -> tuple[str, ...]:
        return () if self.has_change_permission(request, obj) else ("content_shown",)

    def has_add_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        return is_open(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        return is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        return is_open(obj) and super().has_delete_permission(request, obj)

    @display(description=_("content"))
    def content_shown(self, obj: Variant) -> str:
        channel = registry.channels().get(obj.channel)
        fields = channel.content.base_fields if channel else {}
        names = [*fields, *(name for name in obj.content if name not in fields)]
        labels = {name: field.label for name, field in fields.items()}
        rows = [(labels.get(name, name), obj.content[name]) for name in names if obj.content.get(name)]
        sources = format_html_join("", "<dt>{}</dt><dd><pre class='pc-code'>{}</pre></dd>", rows)
        return format_html("<dl class='pc-sources'>{}</dl>", sources)


def is_open(version: TemplateVersion | None) -> bool:
    return version is None or version.is_editable
