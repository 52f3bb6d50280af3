"""Recipients that only test keys know: each stands for one outcome, the same every time."""

import pytest

from channels_app.adapters.simulated import MAGIC, magic_outcome
from channels_app.contract import Address
from pushcenter.faults import Rejected
from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Delivery
from pushcenter.recipients import magic
from pushcenter.recipients.resolve import resolve
from tests import factories
from tests.factories import make_due

pytestmark = pytest.mark.django_db

#: The state in which each outcome leaves a delivery once every attempt has been made that is due.
ENDS = {
    "delivered": "delivered",
    "sent": "sent",
    "bounced": "undelivered",
    "unreachable": "failed",
    "opted_out": "failed",
    "refused": "failed",
    "throttled": "delivered",
    "temporary": "delivered",
    "timeout": "delivered",
    "receipt_late": "sent",
    "opened": "delivered",
    "slow": "delivered",
}
#: Tried again until nothing is left of the schedule or of the time.
ENDLESS = {"down", "misconfigured"}


def test_every_outcome_has_its_recipient() -> None:
    assert set(ENDS) | ENDLESS == set(MAGIC)
    assert not set(magic.BEFORE) & set(MAGIC)


@pytest.mark.parametrize("name", MAGIC)
def test_every_address_of_the_person_names_the_outcome(name: str) -> None:
    person = resolve({"recipient": f"simulated:{name}"}, is_test=True)
    assert person.recipient_id is None
    assert person.external_id == person.places["recipient"] == f"simulated:{name}"
    assert {magic_outcome(Address(kind=kind, value=value)) for kind, value in person.places.items()} == {name}


@pytest.mark.django_db(transaction=True)
def test_every_outcome_comes_as_it_is_named() -> None:
    factories.template(channels=["email", "sms", "push", "inbox"], content=None)
    caller = factories.caller(is_test=True)
    sent = {
        name: factories.message(to={"recipient": f"simulated:{name}"}, caller=caller)
        for name in MAGIC
        if name != "slow"
    }
    for _ in range(2):
        dispatch.run("normal")
        for delivery in Delivery.objects.filter(state="pending"):
            make_due(delivery)
    dispatch.run("normal")
    found = {name: {each.state for each in message.deliveries.all()} for name, message in sent.items()}
    assert {name: states for name, states in found.items() if name not in ENDLESS} == {
        name: {state} for name, state in ENDS.items() if name != "slow"
    }
    assert {name: found[name] for name in ENDLESS} == {name: {"pending"} for name in ENDLESS}
    assert sent["timeout"].deliveries.filter(maybe_duplicate=True).count() == 4


BEFORE = {"muted": "opted_out", "suppressed": "suppressed"}


@pytest.mark.parametrize(("name", "code"), BEFORE.items())
def test_what_is_decided_before_any_provider_is_asked(name: str, code: str) -> None:
    factories.template(channels=["email", "inbox"])
    message = factories.message(to={"recipient": f"simulated:{name}"}, caller=factories.caller(is_test=True))
    assert {(each.state, each.code) for each in message.deliveries.all()} == {("skipped", code)}


def test_a_mandatory_category_reaches_even_who_has_muted_it() -> None:
    factories.category(is_mandatory=True)
    factories.template(channels=["email"])
    message = factories.message(to={"recipient": "simulated:muted"}, caller=factories.caller(is_test=True))
    assert message.deliveries.get().state == "pending"


def test_who_has_no_address_cannot_be_reached() -> None:
    factories.template(channels=["email", "inbox"])
    with pytest.raises(Rejected) as caught:
        factories.message(to={"recipient": "simulated:no_address"}, caller=factories.caller(is_test=True))
    assert [each.code for each in caught.value.faults] == ["no_usable_address"]


@pytest.mark.parametrize("name", [*MAGIC, *magic.BEFORE])
def test_a_live_key_knows_none_of_them(name: str) -> None:
    with pytest.raises(Rejected, match="No recipient"):
        resolve({"recipient": f"simulated:{name}"})


NOBODYS = [
    "simulated:",
    "simulated:BOUNCED",
    "simulated:bounced:7",
    "simulated",
    "bounced",
    " simulated:bounced",
    ":bounced",
]


@pytest.mark.parametrize("external_id", NOBODYS)
def test_other_names_are_nobodys(external_id: str) -> None:
    with pytest.raises(Rejected, match="No recipient"):
        resolve({"recipient": external_id}, is_test=True)


def test_what_the_call_says_goes_before_what_they_have() -> None:
    to = {
        "recipient": "simulated:bounced",
        "email": "opened@simulator.example",
        "name": "Ann",
        "locale": "de",
    }
    person = resolve(to, is_test=True)
    assert (person.name, person.locale) == ("Ann", "de")
    assert person.places["email"] == "opened@simulator.example"
    assert person.places["phone"] == "+12125550102"


def test_a_bad_address_beside_one_of_them_is_a_fault() -> None:
    with pytest.raises(Rejected) as caught:
        resolve({"recipient": "simulated:bounced", "email": "ann"}, is_test=True)
    assert ("/to/email", "invalid_email") in [(each.pointer, each.code) for each in caught.value.faults]


def test_somebody_of_the_directory_goes_before_them() -> None:
    row = factories.recipient("simulated:bounced")
    assert resolve({"recipient": "simulated:bounced"}, is_test=True).recipient_id == row.pk
