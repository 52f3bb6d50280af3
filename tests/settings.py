"""The project's settings, on a database of the suite's own: bundled, in a temporary folder, without fsync."""

import os
import tempfile
from pathlib import Path

#: Names the folder; set by the first process of a run and inherited by its parallel workers.
MARK = "PUSHCENTER_TEST_DATA"

if MARK not in os.environ:
    data = Path(tempfile.mkdtemp(prefix="pushcenter-tests-"))
    # Under root the server runs as another user, which has to be able to pass.
    data.chmod(0o711)
    # Set even where empty is the default: what a developer's .env has for a server is not for the tests.
    os.environ |= {
        MARK: str(data),
        "PUSHCENTER_DATA": str(data),
        "EMBEDDED_FSYNC": "off",
        "DATABASE_URL": "",
        "SECRET_KEY": "",
        "FIELD_KEYS": "",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HTTPS": "off",
        "PORT": "8000",
        "BASE_URL": "http://127.0.0.1:8000",
    }

from pushcenter.settings import *  # noqa: E402, F403  (after the environment is settled)

# Passwords of tests are worth nothing, and a hash that takes long would be most of what a test takes.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A worker that looks for more work before it goes to sleep would only keep a test waiting.
DISPATCH_LINGER_MS = 0

# A static file is looked for when it is asked for, and not all of them anew for each client that a test makes.
WHITENOISE_AUTOREFRESH = True
