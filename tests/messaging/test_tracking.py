"""Whether opens and clicks are counted is the template's choice, and reaches the adapter."""

import pytest

from tests import claiming, factories


@pytest.mark.django_db
@pytest.mark.parametrize("is_tracked", [True, False])
def test_the_choice_of_the_template_reaches_the_adapter(*, is_tracked: bool) -> None:
    factories.accounts("email")
    factories.template(channels=["email"], is_tracked=is_tracked)
    factories.message(to={"email": "ann@example.org"})
    [claimed] = claiming.claim()
    [passenger] = claiming.flight(claimed).passengers
    assert passenger.outgoing.is_tracked is is_tracked
