"""What drf-spectacular cannot see for itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class KeyScheme(OpenApiAuthenticationExtension):
    """The API key, as OpenAPI names it."""

    target_class = "pushcenter.access.authentication.KeyAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "pc_live_… or pc_test_…",
            "description": "An API key of your system. A test key runs the whole pipeline and reaches nobody.",
        }
