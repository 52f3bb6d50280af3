"""The record in the console: read-only, and searched by exact values."""

from pushcenter.messaging.admin import accounts, conversions, deliveries, messages, receipts

__all__ = ["accounts", "conversions", "deliveries", "messages", "receipts"]
