"""Templates and their versions in the console; the steps of a version's life are in ``publishing``."""

from templates_app.admin import template, version

__all__ = ["template", "version"]
