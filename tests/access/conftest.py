import pytest

from tests import factories
from tests.access.gateway import Gateway


@pytest.fixture
def shop(db: None) -> Gateway:
    """The shop, with every permission, where a recipient, a template and two accounts are."""
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    return Gateway(factories.key()[1])
