"""Two people who press a button at once act one after the other: each step locks the template first."""

from templates_app.models import Template, TemplateVersion


def locked(version: TemplateVersion) -> TemplateVersion:
    """The version as it stands now; nobody else changes it, or any other of its template, before the commit."""
    Template.objects.select_for_update().get(pk=version.template_id)
    rows = TemplateVersion.objects.select_for_update(of=("self",))
    return rows.select_related("template__category", "author", "edited_by").get(pk=version.pk)
