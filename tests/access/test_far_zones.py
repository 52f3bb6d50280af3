"""A moment is taken with any offset that ISO 8601 can write; the database itself knows none beyond 16 hours."""

import pytest

from pushcenter.access.models import ApiKey
from tests.access.gateway import MESSAGES, Gateway

FAR = ["2035-01-31T09:00:00-16:40", "2035-01-31T09:00:00+23:59"]
EDGES = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]


@pytest.mark.parametrize("moment", [*FAR, *EDGES])
@pytest.mark.parametrize("path", [MESSAGES, "/api/v1/batches"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_lists_are_asked_about_it(shop: Gateway, path: str, name: str, moment: str) -> None:
    assert shop.get(path, **{name: moment}).json() == {"items": [], "next": None}


@pytest.mark.parametrize("moment", FAR)
def test_a_message_and_a_key_have_it(shop: Gateway, moment: str) -> None:
    assert shop.send(send_at=moment).status_code == 202
    made = shop.post("/api/v1/keys", {"scopes": ["read"], "expires_at": moment})
    assert made.status_code == 201
    assert ApiKey.objects.get(pk=made.json()["id"]).expires_at is not None
