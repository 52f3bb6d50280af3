#!/usr/bin/env python
"""Django's command line; a fault of the surroundings ends in one sentence, not in a traceback."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushcenter.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"pushcenter: {error}")
    except OperationalError as error:
        sys.exit(f"pushcenter: the database cannot be used: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
