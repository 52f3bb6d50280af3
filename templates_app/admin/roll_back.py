"""Rolling back from the page of a template: one click, one confirmation."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from pushcenter.dialogs import ask, go
from templates_app import lineage, publishing
from templates_app.admin.life import MAY_PUBLISH, take
from templates_app.admin.life_forms import RollBackForm
from templates_app.models import Template, TemplateVersion


class BeforeForm(RollBackForm):
    """To the version that was sent before the present one."""

    form_before_template = "templates_app/life/roll_back.html"

    @cached_property
    def version(self) -> TemplateVersion:
        try:
            found = lineage.before(Template.objects.get(pk=self.object_id))
        except (Template.DoesNotExist, ValidationError):
            found = None
        if found is None:
            raise Http404
        return found


ROLL_BACK = ask(
    _("Roll back?"),
    _(
        "At once recipients get the version before again, exactly as it was. What was accepted meanwhile keeps its own."
    ),
    _("Roll back"),
    form=BeforeForm,
)


class RollsBack:
    """Adds the button to the console page of templates, where there is a version to go back to."""

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        found: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        template = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if template is not None and lineage.before(template) is None:
            return [each for each in found if not each.action_name.endswith("_roll_back")]
        return found

    @action(
        description=_("Roll back"),
        permissions=MAY_PUBLISH,
        dialog=ROLL_BACK,
        variant=ActionVariant.DANGER,
        icon="history",
    )
    def roll_back(self, request: HttpRequest, form: BeforeForm, object_id: str) -> HttpResponse:
        done = gettext("Rolled back: recipients get version %(number)s again.") % {
            "number": form.version.number
        }
        take(request, form.version, publishing.roll_back, done)
        opts = self.opts  # type: ignore[attr-defined]
        return go(request, reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[object_id]))
