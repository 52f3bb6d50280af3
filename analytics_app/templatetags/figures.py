"""Figures as people read them."""

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def grouped(value: int) -> str:
    """``1234567`` with the separators of the reader's language."""
    return number_format(value, use_l10n=True, force_grouping=True)
