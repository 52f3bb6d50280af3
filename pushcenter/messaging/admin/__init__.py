"""The record in the console: read-only, and searched by exact values."""

from pushcenter.messaging.admin import deliveries, messages, receipts, recipients

__all__ = ["deliveries", "messages", "receipts", "recipients"]
