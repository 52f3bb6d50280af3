"""The calls of the API, version 1."""

from django.urls import path

from pushcenter.access.views.batches import BatchView
from pushcenter.access.views.conversions import ConversionsView
from pushcenter.access.views.groups import GroupsView, GroupView, MembersView
from pushcenter.access.views.inbox import InboxArchiveView, InboxReadView, InboxUnreadView, InboxView
from pushcenter.access.views.inbox_events import InboxEventsView
from pushcenter.access.views.keys import KeysView, RevokeKeyView, RotateKeyView, SystemView
from pushcenter.access.views.messages import MessagesView, MessageView, TraceView
from pushcenter.access.views.recipients import (
    PreferencesView,
    RecipientsBulkView,
    RecipientsView,
    RecipientView,
)
from pushcenter.access.views.stats import StatsView
from pushcenter.access.views.templates import PreviewView, TemplatesView, TemplateView

urlpatterns = [
    path("system", SystemView.as_view(), name="system"),
    path("keys", KeysView.as_view(), name="keys"),
    path("keys/<uuid:key_id>/rotate", RotateKeyView.as_view(), name="rotate-key"),
    path("keys/<uuid:key_id>/revoke", RevokeKeyView.as_view(), name="revoke-key"),
    path("messages", MessagesView.as_view(), name="messages"),
    path("messages/batch", BatchView.as_view(), name="batch-send"),
    path("messages/<uuid:message_id>", MessageView.as_view(), name="message"),
    path("messages/<uuid:message_id>/trace", TraceView.as_view(), name="trace"),
    path("recipients", RecipientsView.as_view(), name="recipients"),
    path("recipients:bulk", RecipientsBulkView.as_view(), name="recipients-bulk"),
    path("recipients/<str:external_id>", RecipientView.as_view(), name="recipient"),
    path("recipients/<str:external_id>/preferences", PreferencesView.as_view(), name="preferences"),
    path("recipients/<str:external_id>/inbox", InboxView.as_view(), name="inbox"),
    path("recipients/<str:external_id>/inbox/events", InboxEventsView.as_view(), name="inbox-events"),
    path("recipients/<str:external_id>/inbox/read", InboxReadView.as_view(), name="inbox-read"),
    path("recipients/<str:external_id>/inbox/unread", InboxUnreadView.as_view(), name="inbox-unread"),
    path("recipients/<str:external_id>/inbox/archive", InboxArchiveView.as_view(), name="inbox-archive"),
    path("groups", GroupsView.as_view(), name="groups"),
    path("groups/<str:code>", GroupView.as_view(), name="group"),
    path("groups/<str:code>/members", MembersView.as_view(), name="members"),
    path("templates", TemplatesView.as_view(), name="templates"),
    path("templates/<str:code>", TemplateView.as_view(), name="template"),
    path("templates/<str:code>/preview", PreviewView.as_view(), name="preview"),
    path("conversions", ConversionsView.as_view(), name="conversions"),
    path("stats", StatsView.as_view(), name="stats"),
]
