"""What lint says: one problem, how much it matters, and where it is."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from templates_app.part_forms import form_of, label_of


class Severity(models.TextChoices):
    """How much a problem matters; an error stops review and publishing."""

    ERROR = "error", _("error")
    WARNING = "warning", _("warning")
    HINT = "hint", _("hint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. ``rule`` is the code of the rule that says so.

    Where: a variant by ``channel`` and ``locale``, one of its fields, and a line of it, counted from 1. An empty
    channel is the whole version; a ``locale`` is empty for the default one, and a ``line`` is 0 where none is to blame.
    """

    rule: str
    severity: Severity
    message: str
    channel: str = ""
    locale: str = ""
    field: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message

    @property
    def place(self) -> str:
        """In the editor's words, such as ``Email zh-hans · HTML, line 3``; empty for the whole version."""
        if not self.channel:
            return ""
        variant = f"{label_of(self.channel)} {self.locale}".strip()
        return f"{variant} · {self._field()}" if self.field else variant

    def _field(self) -> str:
        kind = form_of(self.channel)
        fields = kind.base_fields if kind else {}
        label = str(fields[self.field].label) if self.field in fields else self.field
        if not self.line:
            return label
        return gettext("%(field)s, line %(line)s") % {"field": label, "line": self.line}
