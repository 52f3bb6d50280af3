"""The programs that make up a running Push Center."""

import os
import sys

from django.conf import settings

from pushcenter.supervisor import Program

BASE = str(settings.BASE_DIR)
MANAGE = str(settings.BASE_DIR / "manage.py")


def manage(name: str, *arguments: str) -> Program:
    return Program(name=name, command=(sys.executable, MANAGE, *arguments))


def web() -> Program:
    return Program(
        name="web",
        command=(
            *(sys.executable, "-m", "gunicorn"),
            *("--config", "python:pushcenter.gunicorn_conf", "pushcenter.wsgi"),
        ),
        # gunicorn imports its configuration before it looks at anything else, from wherever it was started.
        environment={"PYTHONPATH": os.pathsep.join(filter(None, (BASE, os.environ.get("PYTHONPATH"))))},
    )


def worker() -> Program:
    return manage("worker", "qcluster")


def demo_targets() -> Program:
    return manage("demo", "demo_targets")
