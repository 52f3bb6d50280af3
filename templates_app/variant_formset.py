"""The variants of a version together: in the order of the route, with an empty form for each that can be added."""

import json
from collections.abc import Iterator
from typing import Any

from unfold.forms import PaginationInlineFormSet

from templates_app import part_forms
from templates_app.models import TemplateVersion
from templates_app.variant_form import VariantForm


class VariantFormSet(PaginationInlineFormSet):
    instance: TemplateVersion

    def in_route_order(self) -> list[VariantForm]:
        """Those of the route first, in its order; of one channel the default language first."""
        return sorted(self.forms, key=lambda form: (*self._place(form.shown_channel), form.shown_locale))

    def _place(self, channel: str) -> tuple[int, str]:
        route = self.channels()
        return (route.index(channel) if channel in route else len(route), channel)

    def channels(self) -> list[str]:
        """What can be written, those of the route first."""
        template = self.instance.template
        known = part_forms.names(of_parts=not template.is_sendable)
        route = [name for name in template.channels if name in known]
        return [*route, *(name for name in known if name not in route)]

    def missing(self) -> list[tuple[str, Any]]:
        """Channels of the route for which nothing is written, with their labels."""
        written = {form.shown_channel for form in self.forms}
        template = self.instance.template
        wanted = template.channels if template.is_sendable else part_forms.names(of_parts=True)
        return [(name, part_forms.label_of(name)) for name in wanted if name not in written]

    def missing_as_json(self) -> str:
        """For the script that offers to write them."""
        return json.dumps([[name, str(label)] for name, label in self.missing()])

    def choices(self) -> list[tuple[str, Any]]:
        return [(name, part_forms.label_of(name)) for name in self.channels()]

    def blanks(self) -> Iterator[VariantForm]:
        """An empty form for each channel, from which the page makes new variants."""
        for name in self.channels():
            form = self.form(
                auto_id=self.auto_id,
                prefix=self.add_prefix("__prefix__"),
                empty_permitted=True,
                use_required_attribute=False,
                renderer=self.renderer,
                channel=name,
            )
            self.add_fields(form, None)
            yield form
