"""The record in the console: read-only, and searched by exact values."""

from pushcenter.messaging.admin import (
    accounts,
    alerts,
    batches,
    deliveries,
    messages,
    receipts,
    recipients,
    stops,
    templates,
    versions,
)

__all__ = [
    "accounts",
    "alerts",
    "batches",
    "deliveries",
    "messages",
    "receipts",
    "recipients",
    "stops",
    "templates",
    "versions",
]
