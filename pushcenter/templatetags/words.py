"""What is stored in English, in the reader's language."""

from django import template

from channels_app import registry
from pushcenter import retold

register = template.Library()
register.filter("retold", retold.retold)
register.filter("named", retold.named)
register.filter("channel_label", registry.label)
