"""Systems, categories, groups and people.

Domains end in ``example.com`` (RFC 2606); telephone numbers are from the ranges that the numbering plans of
the United States, the United Kingdom and Australia keep for fiction. Nobody can be reached by mistake.
"""

from typing import Any

from pushcenter.demo.data.shapes import CHINESE, ENGLISH, PersonSeed
from pushcenter.lanes import Lane

SYSTEMS: dict[str, dict[str, Any]] = {
    "shop": {"name": "Online shop", "owner_email": "shop-team@example.com"},
    "erp": {"name": "ERP", "owner_email": "erp-team@example.com", "highest_priority": Lane.HIGH},
    "oa": {
        "name": "Office automation",
        "owner_email": "oa-team@example.com",
        "highest_priority": Lane.NORMAL,
        "may_address_inline": False,
    },
}

CATEGORIES: dict[str, dict[str, Any]] = {
    "security": {
        "name": "Security",
        "description": "Sign-in codes and warnings about an account.",
        "is_mandatory": True,
    },
    "orders": {"name": "Orders", "description": "Payment, shipping and returns."},
    "hr": {"name": "Human resources", "description": "Leave, payroll and reviews."},
    "newsletter": {"name": "Newsletter", "description": "News of the week; nobody needs it."},
}

GROUPS = {"customers": "Customers", "staff": "Staff", "beijing": "Beijing office"}

PEOPLE = (
    PersonSeed(
        external_id="u-1001",
        name="李伟",
        locale=CHINESE,
        time_zone="Asia/Shanghai",
        groups=["customers"],
        addresses={"email": "li.wei@cn.example.com", "push_token": "simulated:delivered:u-1001"},
        has_webhook=True,
    ),
    PersonSeed(
        external_id="u-1002",
        name="Emma Johnson",
        locale=ENGLISH,
        time_zone="America/New_York",
        groups=["customers"],
        addresses={"email": "emma.johnson@example.com", "phone": "+12125550100"},
    ),
    PersonSeed(
        external_id="u-1003",
        name="王芳",
        locale=CHINESE,
        time_zone="Asia/Shanghai",
        groups=["customers"],
        addresses={"email": "wang.fang@cn.example.com"},
        muted=["newsletter"],
    ),
    PersonSeed(
        external_id="u-1004",
        name="Harbour Books Ltd",
        locale=ENGLISH,
        time_zone="Europe/London",
        groups=["customers"],
        addresses={"email": "orders@harbour-books.example.com", "phone": "+442079460123"},
        has_webhook=True,
    ),
    PersonSeed(
        external_id="u-1005",
        name="Olivia Brown",
        locale=ENGLISH,
        time_zone="Australia/Sydney",
        groups=["customers"],
        addresses={"email": "olivia.brown@example.com", "phone": "+61491570006"},
    ),
    PersonSeed(
        external_id="e-2001",
        name="张敏",
        locale=CHINESE,
        time_zone="Asia/Shanghai",
        groups=["staff", "beijing"],
        addresses={"email": "zhang.min@staff.example.com", "push_token": "simulated:delivered:e-2001"},
    ),
    PersonSeed(
        external_id="e-2002",
        name="陈静",
        locale=CHINESE,
        time_zone="Asia/Shanghai",
        groups=["staff", "beijing"],
        addresses={"email": "chen.jing@staff.example.com", "push_token": "simulated:opened:e-2002"},
    ),
    PersonSeed(
        external_id="e-2003",
        name="Daniel Müller",
        locale=ENGLISH,
        time_zone="Europe/Berlin",
        groups=["staff"],
        addresses={
            "email": "daniel.mueller@staff.example.com",
            "phone": "+13105550100",
            "push_token": "simulated:delivered:e-2003",
        },
    ),
)
