"""The WSGI application, served by gunicorn."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushcenter.settings")

django_application = get_wsgi_application()

from pushcenter.access import refusals  # noqa: E402 - its models need the application
from pushcenter.access.shortcut import Shortcut  # noqa: E402

refusals.writer.is_wanted = True
application = Shortcut(django_application)

# What is loaded by now stays until the process ends, so the collector need not look through it again; and a batch of
# thousands of items is no reason to look hundreds of times for circles, of which it makes none.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 10, 10)
