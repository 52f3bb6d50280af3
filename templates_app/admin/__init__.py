"""Templates and their versions in the console; the steps of a version's life are in ``publishing``."""

from templates_app.admin import parts, template, version

__all__ = ["parts", "template", "version"]
