"""What the calls of the directory share. It is the enterprise's: every system sees the same people and groups."""

from typing import Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request

from pushcenter.access.views.base import GatewayView
from pushcenter.recipients.models import Group, Recipient

READS = frozenset({"GET", "HEAD"})
SHARED = "The directory is the enterprise's: every system sees the same."
NO_TEST = "A test key reads it, and changes nothing in it."


class DirectoryView(GatewayView):
    """Behind the gate, and closed for changes by a test key: a test must not touch real people."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in READS and self.principal.key.is_test:
            raise exceptions.PermissionDenied(
                "A test key changes nothing in the directory, which is real. Send to the magic recipients or "
                "addresses instead: they give every outcome.",
                "test_key",
            )


def recipient(external_id: str) -> Recipient:
    found = Recipient.objects.in_full().filter(external_id=external_id).first()
    if found is None:
        raise Http404
    return found


def group(code: str) -> Group:
    found = Group.objects.filter(code=code).first()
    if found is None:
        raise Http404
    return found
