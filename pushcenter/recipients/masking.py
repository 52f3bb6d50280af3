"""Addresses for the eyes of people who may not see them in full."""

DOTS = "•••"


def mask(value: str) -> str:
    """Enough to tell one address from another: ``l•••@example.com``, ``•••00`` of a number, ``ab•••`` of others."""
    if not value:
        return ""
    local, at, domain = value.rpartition("@")
    if at:
        return f"{local[:1]}{DOTS}@{domain}"
    if value.lstrip("+").isdigit():
        return f"{DOTS}{value[-2:]}"
    return f"{value[:2]}{DOTS}"
