"""The samples of a version: sets of parameters, each with a name."""

from typing import Any

from django.utils.translation import gettext as _

#: More are of no use to anybody.
MOST = 20


def samples_error(samples: Any) -> str:
    """Why these cannot be the samples of a version; empty where they can."""
    if not isinstance(samples, list) or not all(map(_is_sample, samples)):
        return _('Write a list of samples, such as [{"name": "Li Wei", "params": {}}].')
    if len(samples) > MOST:
        return _("Keep to %(most)s samples.") % {"most": MOST}
    names = [each["name"] for each in samples]
    return _("Give each sample a name of its own.") if len(set(names)) < len(names) else ""


def _is_sample(each: Any) -> bool:
    if not isinstance(each, dict) or set(each) != {"name", "params"}:
        return False
    is_named = isinstance(each["name"], str) and 0 < len(each["name"].strip()) <= 100
    return is_named and isinstance(each["params"], dict)
