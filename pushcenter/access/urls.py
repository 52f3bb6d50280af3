"""The calls of the API, version 1."""

from django.urls import path

from pushcenter.access.views.batches import (
    BatchesView,
    BatchView,
    CancelBatchView,
    OneBatchView,
    PauseBatchView,
    ResumeBatchView,
)
from pushcenter.access.views.broadcasts import BroadcastsView
from pushcenter.access.views.conversions import ConversionsView
from pushcenter.access.views.explain import ExplainMessageView, ExplainView
from pushcenter.access.views.groups import GroupsView, GroupView, MembersView
from pushcenter.access.views.inbox import InboxArchiveView, InboxReadView, InboxUnreadView, InboxView
from pushcenter.access.views.inbox_events import InboxEventsView
from pushcenter.access.views.keys import KeysView, RevokeKeyView, RotateKeyView, SystemView
from pushcenter.access.views.messages import CancelView, MessagesView, MessageView, TraceView
from pushcenter.access.views.recipients import (
    PreferencesView,
    RecipientsBulkView,
    RecipientsView,
    RecipientView,
)
from pushcenter.access.views.stats import StatsView
from pushcenter.access.views.templates import PreviewView, TemplatesView, TemplateView

urlpatterns = [
    path("messages", MessagesView.as_view(), name="messages"),
    path("messages/batch", BatchView.as_view(), name="batch-send"),
    path("messages/explain", ExplainView.as_view(), name="explain"),
    path("messages/<uuid:message_id>", MessageView.as_view(), name="message"),
    path("messages/<uuid:message_id>/trace", TraceView.as_view(), name="trace"),
    path("messages/<uuid:message_id>/explain", ExplainMessageView.as_view(), name="message-explain"),
    path("messages/<uuid:message_id>/cancel", CancelView.as_view(), name="message-cancel"),
    path("system", SystemView.as_view(), name="system"),
    path("keys", KeysView.as_view(), name="keys"),
    path("keys/<uuid:key_id>/rotate", RotateKeyView.as_view(), name="rotate-key"),
    path("keys/<uuid:key_id>/revoke", RevokeKeyView.as_view(), name="revoke-key"),
    path("batches", BatchesView.as_view(), name="batches"),
    path("batches/<uuid:batch_id>", OneBatchView.as_view(), name="batch"),
    path("batches/<uuid:batch_id>/pause", PauseBatchView.as_view(), name="batch-pause"),
    path("batches/<uuid:batch_id>/resume", ResumeBatchView.as_view(), name="batch-resume"),
    path("batches/<uuid:batch_id>/cancel", CancelBatchView.as_view(), name="batch-cancel"),
    path("broadcasts", BroadcastsView.as_view(), name="broadcasts"),
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
