"""People in the console: users, and the roles that are Django's groups."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from pushcenter import roles
from pushcenter.role_filter import RoleFilter

admin.site.unregister([User, Group])

#: The rights that every table has; the names in the database are English.
RIGHTS = {
    "add": _("Can add: %(table)s"),
    "change": _("Can change: %(table)s"),
    "delete": _("Can delete: %(table)s"),
    "view": _("Can view: %(table)s"),
}


#: Names of tables and apps that their models do not mark.
UNMARKED = (gettext_noop("bucket"), gettext_noop("Queue"), gettext_noop("Task"))


def right(permission: Permission) -> str:
    """A permission as people read it."""
    verb, _line, name = permission.codename.partition("_")
    kind = permission.content_type
    model = kind.model_class()
    if model is None:
        return str(permission)
    app, table = gettext(str(model._meta.app_config.verbose_name)), gettext(str(model._meta.verbose_name))
    is_usual = verb in RIGHTS and name == kind.model
    return f"{app} | {RIGHTS[verb] % {'table': table} if is_usual else gettext(permission.name)}"


def role(group: Group) -> str:
    return roles.shown(group.name)


NAMED: dict[str, Any] = {"groups": role, "user_permissions": right, "permissions": right}


class Named:
    """Roles and rights in choices, in the reader's language."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and db_field.name in NAMED:
            field.label_from_instance = NAMED[db_field.name]
        return field


@admin.register(User)
class PersonAdmin(Named, UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "is_active")
    list_filter = ("is_staff", "is_superuser", "is_active", ("groups", RoleFilter))


@admin.register(Group)
class RoleAdmin(Named, GroupAdmin, ModelAdmin):  # type: ignore[misc]
    list_display = ("name_shown",)

    @display(description=_("name"), ordering="name")
    def name_shown(self, obj: Group) -> str:
        return role(obj)
