"""Recent messages as examples to look at a version with."""

from collections.abc import Iterator

from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone
from django.utils.translation import gettext as _

from pushcenter.messaging.recent import recent
from templates_app.examples import Example
from templates_app.models import TemplateVersion

#: More are no help in choosing one; equal ones are offered once.
OFFERED, LOOKED_AT = 8, 50


def of_recent_messages(version: TemplateVersion, user: User | AnonymousUser) -> Iterator[Example]:
    """The parameters of the newest messages of the template, masked where the user may not see them."""
    seen: list[object] = []
    for each in recent(version.template, LOOKED_AT, is_open=user.has_perm("messaging.view_personal_data")):
        if each.params not in seen:
            seen.append(each.params)
            at = timezone.localtime(each.accepted_at).strftime("%Y-%m-%d %H:%M:%S")
            yield Example(name=_("Message of %(at)s") % {"at": at}, params=dict(each.params))
        if len(seen) == OFFERED:
            return
