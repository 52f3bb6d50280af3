"""All templates of the demo."""

from pushcenter.demo.data.leave_approved import LEAVE_APPROVED
from pushcenter.demo.data.order_paid import ORDER_PAID
from pushcenter.demo.data.password_code import PASSWORD_CODE
from pushcenter.demo.data.weekly_digest import WEEKLY_DIGEST

TEMPLATES = (ORDER_PAID, PASSWORD_CODE, LEAVE_APPROVED, WEEKLY_DIGEST)
