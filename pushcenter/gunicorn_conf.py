"""How gunicorn serves the web: ``gunicorn -c python:pushcenter.gunicorn_conf pushcenter.wsgi``.

Its command line overrides what stands here, for example ``--bind 0.0.0.0:8000`` in a container.
"""

import os
from pathlib import Path

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushcenter.settings")

bind = f"127.0.0.1:{settings.PORT}"
worker_class = "pushcenter.web_worker.ProblemWorker"
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS

# A request that takes longer is broken. The worker is given the same time to finish at a stop.
timeout = 60
graceful_timeout = 25
# Clients that send often keep their connection; a proxy in front should drop idle ones sooner than this.
keepalive = 75

limit_request_line = 8190
limit_request_fields = 60
limit_request_field_size = 8190

# Workers show that they live by touching a file; in memory, a slow disk cannot make them look dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - only a file without a name

loglevel = "warning"
errorlog = "-"
accesslog = None
control_socket_disable = True
