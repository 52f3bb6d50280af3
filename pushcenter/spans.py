"""Spans of time as people read them."""

from datetime import timedelta

from django.utils.translation import gettext as _


def words(span: timedelta) -> str:
    """``12 s``, ``3 min 4 s``, ``2 h 5 min``, in the language of the moment."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": seconds}
    return _("%(seconds)s s") % {"seconds": seconds}


def distance(span: timedelta) -> str:
    """How far one moment is from another: ``+12 ms``, ``+3.4 s``, ``−2 min 5 s``, ``+1 h 2 min``, ``+3 d 4 h``."""
    seconds = abs(span.total_seconds())
    sign = "−" if span < timedelta() else "+"
    if seconds < 1:
        return sign + _("%(number)s ms") % {"number": round(seconds * 1000)}
    if seconds < 60:
        return sign + _("%(seconds)s s") % {"seconds": f"{seconds:.1f}"}
    if seconds < 24 * 3600:
        return sign + words(timedelta(seconds=seconds))
    days, rest = divmod(int(seconds), 24 * 3600)
    return sign + _("%(days)s d %(hours)s h") % {"days": days, "hours": rest // 3600}
