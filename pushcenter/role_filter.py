"""Filters by role, with the roles in the reader's language."""

from typing import Any

from django.contrib.admin.filters import RelatedFieldListFilter
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter

from pushcenter import roles


class _Named:
    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        found = super().field_choices(field, request, model_admin)  # type: ignore[misc]
        return [(key, roles.shown(str(name))) for key, name in found]


class RoleFilter(_Named, RelatedFieldListFilter):
    pass


class RoleDropdownFilter(_Named, RelatedDropdownFilter):
    pass
