"""What scripts of Django's admin say without a Chinese translation of their own; for the catalog of scripts."""

from django.utils.translation import gettext_noop as _

WORDS = (
    _('Choose %s by selecting them and then select the "Choose" arrow button.'),
    _("Choose all %s"),
    _("Choose selected %s"),
    _("Remove selected %s"),
    _('Remove %s by selecting them and then select the "Remove" arrow button.'),
    _("(click to clear)"),
    _("Remove all %s"),
    _("Available %s"),
    _("Chosen %s"),
    _("Filter"),
)
