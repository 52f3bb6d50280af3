"""Which account is chosen: one that can be connected and takes the address, by rank and weight."""

from collections import Counter

import pytest

from channels_app import connections, registry
from channels_app.adapters.simulated import SimulatedAdapter
from channels_app.channels import group_of
from channels_app.contract import Address
from channels_app.models import Account
from tests import factories

pytestmark = pytest.mark.django_db
PERSON = Address(kind="wecom", value="zhangsan")
GROUP = Address(kind="wecom", value="group:ops")


class RobotAdapter(SimulatedAdapter):
    """Posts into groups only."""

    name = "robot"

    def takes(self, address: Address) -> bool:
        return bool(group_of(address))


class PeopleAdapter(SimulatedAdapter):
    name = "people"

    def takes(self, address: Address) -> bool:
        return not group_of(address)


@pytest.fixture(autouse=True)
def adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**registry.adapters(), "robot": RobotAdapter, "people": PeopleAdapter}
    monkeypatch.setattr(registry, "adapters", lambda: known)


def chosen(address: Address) -> str:
    return connections.choose(list(Account.objects.usable()), address)[0].name


def test_nothing_for_a_person_lands_in_a_group() -> None:
    factories.account("wecom", "robot", name="Robot", priority=1)
    with pytest.raises(connections.NoAccount, match="takes such an address"):
        chosen(PERSON)
    factories.account("wecom", "people", name="App", priority=2)
    assert (chosen(PERSON), chosen(GROUP)) == ("App", "Robot")


def test_accounts_of_the_first_rank_share_by_weight() -> None:
    factories.account("wecom", "people", name="Heavy", weight=9)
    factories.account("wecom", "people", name="Light", weight=1)
    factories.account("wecom", "people", name="Later", priority=99)
    counted = Counter(chosen(PERSON) for _ in range(500))
    assert set(counted) == {"Heavy", "Light"}
    assert counted["Heavy"] > 3 * counted["Light"]


def test_an_account_that_cannot_be_connected_is_passed_over() -> None:
    broken = factories.account("wecom", "people", name="Broken", priority=1)
    Account.objects.filter(pk=broken.pk).update(secrets="encrypted with a lost key")
    with pytest.raises(connections.NoAccount, match="Broken"):
        chosen(PERSON)
    factories.account("wecom", "people", name="Sound", priority=2)
    assert chosen(PERSON) == "Sound"


def test_without_accounts_there_is_nothing_to_choose() -> None:
    with pytest.raises(connections.NoAccount, match="paused or switched off"):
        chosen(PERSON)
