"""What is stored in English, in the reader's language."""

from django import template

from pushcenter import retold

register = template.Library()
register.filter("retold", retold.retold)
register.filter("named", retold.named)
