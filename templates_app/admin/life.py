"""The steps of a version's life as buttons on its page; the steps themselves are in the modules of this package's app.

A button is there for whoever has the permission and where the state fits. Its dialog says why this person cannot take
the step, where that is so: four eyes, or something that is missing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timeuntil
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from pushcenter.dialogs import ask, go
from templates_app import canary, drafts, history, publishing
from templates_app.admin import life_forms as forms
from templates_app.admin.labels import NEW_DRAFT, version_url
from templates_app.models import ChangeKind, TemplateVersion, VersionState
from templates_app.publishing import PublishingError

MAY_WRITE = ["templates_app.change_templateversion"]
MAY_PUBLISH = ["templates_app.publish_templateversion"]

OPEN = {VersionState.DRAFT, VersionState.IN_REVIEW}
CANARY = {VersionState.CANARY}
#: In which states each step makes sense.
FIT: Mapping[str, set[VersionState]] = {
    "review_it": OPEN,
    "submit": {VersionState.DRAFT},
    "take_back": {VersionState.IN_REVIEW},
    "send_back": {VersionState.IN_REVIEW},
    "publish": {*OPEN, VersionState.SCHEDULED},
    "schedule": OPEN,
    "start_canary": OPEN,
    "unschedule": {VersionState.SCHEDULED},
    "promote": CANARY,
    "change_share": CANARY,
    "withdraw_canary": CANARY,
    "roll_back": {VersionState.ARCHIVED},
}

SUBMIT = ask(
    _("Send to review?"),
    _("Somebody who may publish reads it next."),
    _("Send to review"),
    form=forms.SubmitForm,
)
TAKE_BACK = ask(_("Take it back from review?"), _("It is a draft again."), _("Take back"))
SEND_BACK = ask(
    _("Send it back to its author?"),
    _("It is a draft again, and the reason is in its history."),
    _("Send back"),
    form=forms.SendBackForm,
)
PUBLISH = ask(
    _("Publish this version?"),
    _(
        "From now on it is what recipients get. The version before it is archived. A published version never changes."
    ),
    _("Publish"),
    form=forms.PublishForm,
)
SCHEDULE = ask(
    _("Publish it at a time?"),
    _(
        "It is approved now, and nobody changes it any more. At that time it takes the place of the published one."
    ),
    _("Schedule"),
    form=forms.ScheduleForm,
)
UNSCHEDULE = ask(
    _("Cancel the schedule?"), _("It is in review again and does not go live."), _("Cancel the schedule")
)
START_CANARY = ask(
    _("Start with a share of the messages?"),
    _(
        "Only so many of the messages get this version, the others the published one. Compare how both fare, then "
        "promote it or withdraw it."
    ),
    _("Start the canary"),
    form=forms.CanaryForm,
)
CHANGE_SHARE = ask(
    _("Change its share?"), _("It holds for messages from now on."), _("Change"), form=forms.ShareForm
)
PROMOTE = ask(
    _("Promote the canary?"),
    _("From now on all messages get this version. The version before it is archived."),
    _("Promote"),
    form=forms.PromoteForm,
)
WITHDRAW = ask(
    _("Withdraw the canary?"),
    _("All messages get the published version again. What was accepted with this one keeps it."),
    _("Withdraw"),
)
ROLL_BACK = ask(
    _("Roll back to this version?"),
    _("At once recipients get it again, exactly as it was. What was accepted meanwhile keeps its version."),
    _("Roll back"),
    form=forms.RollBackForm,
)

Step = Callable[..., TemplateVersion]


class VersionLife:
    """Adds the steps to the console page of versions."""

    life_actions: tuple[Any, ...] = (
        "submit",
        "publish",
        "promote",
        "change_share",
        "withdraw_canary",
        "unschedule",
        "roll_back",
        {
            "title": _("More"),
            "icon": "more_horiz",
            "items": [
                "schedule",
                "start_canary",
                "send_back",
                "take_back",
                "compare",
                "its_history",
                "draft_from_it",
            ],
        },
    )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        version = self.get_object(request, object_id)  # type: ignore[attr-defined]
        unfit = unfit_steps(version) if version else set()
        found: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [each for each in found if each.action_name.rpartition("templateversion_")[2] not in unfit]

    @action(
        description=_("Send to review"),
        permissions=MAY_WRITE,
        dialog=SUBMIT,
        variant=ActionVariant.PRIMARY,
        icon="rate_review",
    )
    def submit(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._step(request, object_id, publishing.submit, _("Sent to review."))

    @action(description=_("Take back"), permissions=MAY_WRITE, dialog=TAKE_BACK, icon="undo")
    def take_back(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._step(request, object_id, publishing.withdraw, _("It is a draft again."))

    @action(description=_("Send back"), permissions=MAY_PUBLISH, dialog=SEND_BACK, icon="reply")
    def send_back(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        return self._step(request, object_id, drafts.send_back, _("Sent back to its author."), reason=reason)

    @action(
        description=_("Publish"),
        permissions=MAY_PUBLISH,
        dialog=PUBLISH,
        variant=ActionVariant.SUCCESS,
        icon="publish",
    )
    def publish(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        done = _("Published: recipients get this version now.")
        return self._step(request, object_id, publishing.publish, done)

    @action(description=_("Publish at a time"), permissions=MAY_PUBLISH, dialog=SCHEDULE, icon="schedule")
    def schedule(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        at = form.cleaned_data["at"]
        return self._step(request, object_id, publishing.schedule, goes_live(at, form.place), at=at)

    @action(
        description=_("Cancel the schedule"),
        permissions=MAY_PUBLISH,
        dialog=UNSCHEDULE,
        variant=ActionVariant.WARNING,
        icon="event_busy",
    )
    def unschedule(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        done = _("The schedule is cancelled; it is in review again.")
        return self._step(request, object_id, publishing.unschedule, done)

    @action(description=_("Start a canary"), permissions=MAY_PUBLISH, dialog=START_CANARY, icon="science")
    def start_canary(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        percent = form.cleaned_data["percent"]
        done = _("From now on %(percent)s per cent of the messages get this version.") % {"percent": percent}
        return self._step(request, object_id, canary.start, done, percent=percent)

    @action(description=_("Change its share"), permissions=MAY_PUBLISH, dialog=CHANGE_SHARE, icon="tune")
    def change_share(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        percent = form.cleaned_data["percent"]
        done = _("From now on %(percent)s per cent of the messages get this version.") % {"percent": percent}
        return self._step(request, object_id, canary.change_share, done, percent=percent)

    @action(
        description=_("Promote"),
        permissions=MAY_PUBLISH,
        dialog=PROMOTE,
        variant=ActionVariant.SUCCESS,
        icon="trending_up",
    )
    def promote(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        done = _("Published: recipients get this version now.")
        return self._step(request, object_id, canary.promote, done)

    @action(
        description=_("Withdraw"),
        permissions=MAY_PUBLISH,
        dialog=WITHDRAW,
        variant=ActionVariant.WARNING,
        icon="block",
    )
    def withdraw_canary(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        done = _("The canary is withdrawn: all messages get the published version.")
        return self._step(request, object_id, canary.withdraw, done)

    @action(
        description=_("Roll back to this"),
        permissions=MAY_PUBLISH,
        dialog=ROLL_BACK,
        variant=ActionVariant.DANGER,
        icon="history",
    )
    def roll_back(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        done = _("Rolled back: recipients get this version again.")
        return self._step(request, object_id, publishing.roll_back, done)

    @action(
        description=_("New draft from this"),
        permissions=["templates_app.add_templateversion"],
        dialog=NEW_DRAFT,
        icon="content_copy",
    )
    def draft_from_it(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        def copy(*, version: TemplateVersion, by: Any) -> TemplateVersion:
            return publishing.new_draft(template=version.template, by=by, source=version)

        return self._step(request, object_id, copy, _("This is the new draft."))

    def delete_model(self, request: HttpRequest, obj: TemplateVersion) -> None:
        """A number without a version would be a riddle: the history says who deleted it."""
        with transaction.atomic():
            by: Any = request.user
            history.of_version(ChangeKind.DELETED, obj, by=by, **({"note": obj.note} if obj.note else {}))
            super().delete_model(request, obj)  # type: ignore[misc]

    def _step(self, request: HttpRequest, object_id: str, step: Step, done: Any, **how: Any) -> HttpResponse:
        version = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if version is None:
            return go(request, reverse("admin:templates_app_templateversion_changelist"))
        taken = take(request, version, step, done, **how)
        if taken is not None:
            self.log_change(request, taken, str(done))  # type: ignore[attr-defined]
        return go(request, version_url(taken or version))


def take(
    request: HttpRequest, version: TemplateVersion, step: Step, done: Any, **how: Any
) -> TemplateVersion | None:
    """The version after the step; None where it could not be taken. Either way the person is told."""
    try:
        taken = step(version=version, by=request.user, **how)
    except PublishingError as error:  # somebody was quicker than this person's click
        for problem in error.problems:
            messages.error(request, problem)
        return None
    messages.success(request, done)
    return taken


def goes_live(at: datetime, place: ZoneInfo) -> str:
    """The time in words, so that a mistake shows: with its day of the week, its zone, and how long that is from now."""
    words = {
        "when": date_format(at.astimezone(place), gettext("l, j F Y, H:i")),
        "zone": place.key,
        "span": timeuntil(at, timezone.now()),
    }
    return gettext("Approved. It goes live on %(when)s (%(zone)s), in %(span)s.") % words


def unfit_steps(version: TemplateVersion) -> set[str]:
    """Steps that make no sense in the state of a version."""
    unfit = {name for name, states in FIT.items() if version.state not in states}
    if version.published_at is None:
        unfit.add("roll_back")
    if not version.template.is_sendable:
        unfit.add("start_canary")
    return unfit
