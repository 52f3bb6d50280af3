"""From whom a message seems to come: as the account says that would be tried first."""

from channels_app.models import Account

#: Settings in which adapters keep it, the one that people see first.
NAMES = ("from_name", "from_address", "sign_name", "sender")


def sender(channel: str) -> str:
    """Empty where no account of this channel says so."""
    account = Account.objects.usable().filter(channel=channel).only("config").first()
    config = account.config if account else {}
    return next((str(config[name]) for name in NAMES if config.get(name)), "")
