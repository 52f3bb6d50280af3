"""A thousand messages of a version are rendered in less than 50 milliseconds of one core."""

import pytest

from tests.bench.rendering import CONTENT, compiled, milliseconds


@pytest.mark.parametrize("name", CONTENT)
def test_rendering_is_quick(name: str) -> None:
    version = compiled(name)
    # A fifth of them, and again where something else took the processor's caches.
    assert min(milliseconds(version, 200) for _again in range(3)) < 10
