"""Adapters whose calls are short, so that leases can be, too: an installed plug-in as Python sees it."""

import sys
from pathlib import Path

from channels_app.adapters.http import HttpAdapter
from channels_app.adapters.http_sms import HttpSmsAdapter
from channels_app.contract import Capabilities

#: The longest call, in seconds.
LONGEST = 2.0


class HastyWebhook(HttpAdapter):
    name = "hasty_webhook"
    capabilities = Capabilities(idempotent=True, timeout=LONGEST)


class HastySms(HttpSmsAdapter):
    name = "hasty_sms"
    capabilities = Capabilities(timeout=LONGEST)


def install(folder: Path) -> None:
    """Make this module known as a plug-in to whoever has the folder among its paths, and to this process."""
    about = folder / "hasty-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: hasty\nVersion: 1\n")
    entries = [f"{each.name} = {__name__}:{each.__name__}" for each in (HastyWebhook, HastySms)]
    (about / "entry_points.txt").write_text("[pushcenter.adapters]\n" + "\n".join(entries) + "\n")
    sys.path.insert(0, str(folder))
