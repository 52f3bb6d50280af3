"""The usual settings, in a database of its own on the same server."""

import os

from pushcenter.settings import *  # noqa: F403
from pushcenter.settings import DATABASES

ROOT_URLCONF = "tests.bench.yardstick.urls"
WSGI_APPLICATION = "tests.bench.yardstick.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "django_q",
    "tests.bench.yardstick",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
DATABASES = {"default": {**DATABASES["default"], "NAME": "yardstick"}}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tests.bench.yardstick.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
Q_CLUSTER = {
    "name": "yardstick",
    "orm": "default",
    "workers": 2,
    "bulk": 10,
    "poll": 0.1,
    "timeout": 60,
    "retry": 120,
    "save_limit": -1,
    "max_attempts": 1,
    "ack_failures": True,
}
SILENCED_SYSTEM_CHECKS = ["fields.W342"]
# Whom it sends to.
PROVIDER = f"http://127.0.0.1:{os.environ['BENCH_PROVIDER_PORT']}/hook"
