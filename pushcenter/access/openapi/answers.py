"""What good answers look like, by call: the examples of the API's description. A test holds them to its schemas.

Where a call has several good answers, each stands under its status as well.
"""

from collections.abc import Mapping
from typing import Any

MESSAGE_ID = "019aae10-8f2c-7c3e-b1f4-0a4cf4d2a111"
DELIVERY_ID = "019aae10-8f2d-7a10-9d3e-5b1f60b7c222"
BATCH_ID = "019aae10-7000-7e22-8c9d-1a2b3c4d5555"
KEY_ID = "019aae10-1111-7b4c-8e5d-3c2a90f1d333"
NOON = "2026-03-01T12:00:00.000000Z"
A_SECOND_LATER = "2026-03-01T12:00:01.042000Z"
THREE_DAYS_LATER = "2026-03-04T12:00:00.000000Z"

GROUP = {"code": "staff", "name": "Staff", "members": 2}
PERSON = {
    "external_id": "u-1001",
    "name": "Li Wei",
    "locale": "zh-hans",
    "time_zone": "Asia/Shanghai",
    "groups": ["staff"],
    "addresses": [
        {"kind": "email", "value": "li.wei@example.com", "is_primary": True},
        {"kind": "phone", "value": "+8613800138000", "is_primary": True},
    ],
    "created_at": NOON,
    "updated_at": NOON,
}
KEY = {
    "id": KEY_ID,
    "name": "night batch",
    "prefix": "pc_live_a1B2c3",
    "test": False,
    "scopes": ["send", "read"],
    "allowed_networks": ["10.20.0.0/16"],
    "predecessor": None,
    "created_at": NOON,
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
}
# The scanner of secrets that looks for our prefix is not to find one here.
ISSUED = {"secret": "pc_live_…", **KEY}
WISHES = {
    "preferences": [
        {"category": "news", "channel": None, "muted": True},
        {"category": "orders", "channel": "sms", "muted": True},
    ]
}
TEMPLATE = {
    "code": "order-paid",
    "name": "Order paid",
    "category": "orders",
    "priority": "normal",
    "route": "first",
    "channels": ["inbox", "email"],
    "version": 3,
}
DELIVERY = {
    "id": DELIVERY_ID,
    "channel": "email",
    "address": "li.wei@example.com",
    "state": "sent",
    "code": "",
    "reason": "",
    "attempts": 1,
    "maybe_duplicate": False,
    "account": "Mail relay",
    "provider_id": "<8842@mail.example.com>",
    "due_at": NOON,
    "sent_at": A_SECOND_LATER,
    "delivered_at": None,
    "opened_at": None,
    "clicked_at": None,
    "converted_at": None,
}
MESSAGE = {
    "id": MESSAGE_ID,
    "status": "sent",
    "test": False,
    "template": "order-paid",
    "version": 3,
    "category": "orders",
    "priority": "normal",
    "recipient": "u-1001",
    "batch": None,
    "params": {"order_no": "SO-20391", "amount": "249.00"},
    "metadata": {},
    "reference": "SO-20391",
    "send_at": None,
    "expires_at": THREE_DAYS_LATER,
    "accepted_at": NOON,
    "deliveries": [DELIVERY],
}
BATCH = {
    "id": BATCH_ID,
    "kind": "broadcast",
    "status": "expanding",
    "test": False,
    "template": "weekly-digest",
    "reference": "digest-2030-07",
    "accepted": 800,
    "rejected": 0,
    "accepted_at": NOON,
    "paused_at": None,
    "pause_reason": "",
    "cancelled_at": None,
    "audience": {"groups": ["staff"]},
    "expansion": {"people": 1200, "looked_at": 840, "left_out": {"opted_out": 40}, "finished_at": None},
}
PROGRESS = {**BATCH, "deliveries": {"pending": 300, "sent": 100, "delivered": 400}, "brake": None}
ATTEMPT = {
    "at": A_SECOND_LATER,
    "tier": "service",
    "kind": "attempt",
    "title": "Provider took it",
    "detail": "attempt 1 through Mail relay, 38 ms",
    "channel": "email",
    "outcome": "ok",
    "data": {"number": 1, "adapter": "smtp", "outcome": "sent", "milliseconds": 38},
}
FAULT = {
    "pointer": "/params/order_no",
    "code": "missing_variable",
    "detail": "The template needs this variable.",
}
FIGURES = {
    "accepted": 120,
    "sent": 118,
    "delivered": 115,
    "undelivered": 2,
    "failed": 1,
    "skipped": 1,
    "expired": 0,
    "cancelled": 0,
    "in_doubt": 0,
    "opened": 60,
    "clicked": 12,
    "converted": 3,
    "rates": {"reach": 0.974576, "open": 0.508475, "click": 0.101695, "conversion": 0.025424},
}

ANSWERS: Mapping[str, Mapping[str, Any] | str] = {
    "report_conversion": {
        "id": "019aae10-9a00-7d11-a2b3-6f7081920444",
        "message": MESSAGE_ID,
        "delivery": DELIVERY_ID,
        "channel": "email",
        "at": A_SECOND_LATER,
    },
    "list_groups": {"items": [GROUP], "next": None},
    "create_group": {"code": "partners", "name": "Partners", "members": 0},
    "read_group": GROUP,
    "rename_group": {**GROUP, "name": "Staff of the head office"},
    "list_members": {
        "items": [{"external_id": "u-1001", "name": "Li Wei"}, {"external_id": "u-1002", "name": "Ann"}],
        "next": None,
    },
    "move_members": {"added": 2, "removed": 1},
    "list_keys": {"keys": [KEY], "next": None},
    "create_key": ISSUED,
    "rotate_key": {**ISSUED, "predecessor": "019aae0f-0000-7b4c-8e5d-3c2a90f1d334"},
    "revoke_key": {**KEY, "revoked_at": A_SECOND_LATER},
    "send_message": {
        "id": MESSAGE_ID,
        "status": "pending",
        "test": False,
        "accepted_at": NOON,
        "expires_at": THREE_DAYS_LATER,
        "reference": "SO-20391",
    },
    "send_batch": {
        "id": BATCH_ID,
        "accepted": 1,
        "rejected": [{"index": 1, "errors": [FAULT]}],
    },
    "read_message": MESSAGE,
    "trace_message": {"id": MESSAGE_ID, "entries": [ATTEMPT]},
    "list_messages": {"items": [MESSAGE], "next": None},
    "cancel_message": {
        "id": MESSAGE_ID,
        "status": "cancelled",
        "cancelled": [{"id": DELIVERY_ID, "channel": "email", "state": "cancelled"}],
        "too_late": [],
        "recalling": [],
        "kept_back": [],
    },
    "list_batches": {"items": [BATCH], "next": None},
    "read_batch": PROGRESS,
    "pause_batch": {**PROGRESS, "status": "paused", "paused_at": A_SECOND_LATER},
    "resume_batch": PROGRESS,
    "cancel_batch": {
        "id": BATCH_ID,
        "cancelled_at": A_SECOND_LATER,
        "cancelled": 300,
        "too_late": {"sent": 100, "delivered": 400},
        "recalling": 0,
        "not_expanded": 360,
    },
    "broadcast 202": {"id": BATCH_ID, "people": 1200},
    "explain_message": {
        "accepted": True,
        "problem": None,
        "template": "order-paid",
        "version": 3,
        "category": "orders",
        "priority": "normal",
        "due_at": NOON,
        "expires_at": THREE_DAYS_LATER,
        "recipient": "u-1001",
        "name": "Li Wei",
        "locale": "zh-hans",
        "paused": [],
        "channels": [
            {
                "channel": "email",
                "choice": "chosen",
                "reason": "in_route",
                "detail": "",
                "kind": "email",
                "address": "li.wei@example.com",
                "until": None,
                "within": None,
                "delivery": DELIVERY,
            }
        ],
    },
    "list_recipients": {"items": [PERSON], "next": "dS0xMDAx"},
    "create_recipient": {**PERSON, "external_id": "u-1003"},
    "read_recipient": PERSON,
    "replace_recipient": PERSON,
    "change_recipient": {**PERSON, "locale": "en", "updated_at": A_SECOND_LATER},
    "write_recipients": {
        "created": 1,
        "updated": 1,
        "unchanged": 0,
        "rejected": [
            {
                "index": 2,
                "errors": [
                    {
                        "pointer": "/addresses/0/value",
                        "code": "invalid_email",
                        "detail": "This is not an email address.",
                    }
                ],
            }
        ],
    },
    "read_preferences": WISHES,
    "replace_preferences": WISHES,
    "list_inbox": {
        "entries": [
            {
                "id": DELIVERY_ID,
                "message": MESSAGE_ID,
                "template": "order-paid",
                "category": "orders",
                "title": "Paid: SO-20391",
                "body": "Thank you, Li Wei.",
                "link": "",
                "delivered_at": A_SECOND_LATER,
                "read_at": None,
            }
        ],
        "unread": 1,
        "next": None,
    },
    "mark_inbox_read": {"marked": 1, "unread": 0},
    "count_unread": {"unread": 1},
    "follow_inbox": 'retry: 2000\n\nid: 1772366401.042000\nevent: unread\ndata: {"unread": 1}\n\n',
    "archive_inbox": {"archived": 1, "unread": 0},
    "read_stats": {
        "from": "2026-03-01",
        "to": "2026-03-01",
        "time_zone": "UTC",
        "group": "day",
        "items": [{"key": "2026-03-01", **FIGURES}],
        "total": FIGURES,
    },
    "read_system": {
        "code": "shop",
        "name": "Shop",
        "key": KEY,
        "permissions": {
            "templates": [],
            "categories": [],
            "channels": [],
            "highest_priority": "high",
            "may_address_inline": True,
            "may_broadcast": False,
        },
        "limits": {
            "requests_per_second": 1000,
            "burst": 2000,
            "max_batch": 10000,
            "max_broadcast": 100000,
            "messages_per_day": None,
        },
    },
    "list_templates": {"items": [TEMPLATE], "next": None},
    "read_template": {
        **TEMPLATE,
        "steps": [
            {
                "channel": "inbox",
                "until": "read",
                "within": 3600,
                "told": "until inbox is read, at most 1 hour",
            },
            {"channel": "email", "until": "sent", "within": None, "told": "until email is sent"},
        ],
        "time_to_live": None,
        "variables": {
            "type": "object",
            "properties": {"order_no": {"type": "string"}, "amount": {"type": "string"}},
            "required": ["order_no"],
            "additionalProperties": False,
        },
        "sample": {"order_no": "SO-1", "amount": "10.00"},
        "locales": {"email": ["", "zh-hans"], "inbox": [""]},
    },
    "preview_template": {
        "template": "order-paid",
        "version": 3,
        "params": {"order_no": "SO-20391", "amount": "249.00"},
        "contents": [
            {
                "channel": "inbox",
                "locale": "",
                "content": {"title": "Paid: SO-20391", "body": "Thank you, Li Wei."},
                "error": "",
            }
        ],
    },
}
