"""The WSGI application, served by gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushcenter.settings")

django_application = get_wsgi_application()

from pushcenter.access import refusals  # noqa: E402 - its models need the application
from pushcenter.access.shortcut import Shortcut  # noqa: E402

refusals.writer.is_wanted = True
application = Shortcut(django_application)
