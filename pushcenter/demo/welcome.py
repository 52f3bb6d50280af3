"""What a trial says when everything is up: where to look, and a call to copy."""

import shlex
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from pushcenter.demo.credentials import ADMIN, key_file
from pushcenter.startup import HOST


def welcome(password: str | None) -> str:
    """``password`` is the administrator's where this run has made one; it is not told again."""
    site = f"http://{HOST}:{settings.PORT}"
    return f"""
Push Center is up. Ctrl-C stops it; its data stay in {settings.PUSHCENTER_DATA}.

  Console         {site}{reverse("admin:index")}
                  user {ADMIN}, {told_once(password)}
  Reports         {site}{reverse("admin:reports")}
  API             {site}{reverse("docs")}
  Mails and more  http://{HOST}:{settings.DEMO_HTTP_PORT}/

Send one yourself:

{curl(site)}
"""


def told_once(password: str | None) -> str:
    if password:
        return f"password {password} (shown this once)"
    return f"password as before; for a new one: {manage()} changepassword {ADMIN}"


def curl(site: str) -> str:
    key = shlex.quote(str(shortened(key_file(settings.PUSHCENTER_DATA))))
    return f"""\
  curl -sS {site}/api/v1/messages \\
    -H "Authorization: Bearer $(cat {key})" \\
    -H "Content-Type: application/json" \\
    -d '{{"template": "order-paid", "to": {{"recipient": "u-1002"}},
         "params": {{"order_no": "SO-1", "amount": "19.90", "currency": "USD"}}}}'"""


def manage() -> str:
    return f"{shortened(settings.BASE_DIR / '.venv' / 'bin' / 'python')} {shortened(settings.BASE_DIR / 'manage.py')}"


def shortened(path: Path) -> Path:
    """As one would type it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
