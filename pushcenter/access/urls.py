"""The calls of the API, version 1."""

from django.urls import path

from pushcenter.access.views.batches import BatchView
from pushcenter.access.views.inbox import InboxReadView, InboxView
from pushcenter.access.views.keys import KeysView, RevokeKeyView, RotateKeyView, SystemView
from pushcenter.access.views.messages import MessagesView, MessageView, TraceView

urlpatterns = [
    path("system", SystemView.as_view(), name="system"),
    path("keys", KeysView.as_view(), name="keys"),
    path("keys/<uuid:key_id>/rotate", RotateKeyView.as_view(), name="rotate-key"),
    path("keys/<uuid:key_id>/revoke", RevokeKeyView.as_view(), name="revoke-key"),
    path("messages", MessagesView.as_view(), name="messages"),
    path("messages/batch", BatchView.as_view(), name="batch-send"),
    path("messages/<uuid:message_id>", MessageView.as_view(), name="message"),
    path("messages/<uuid:message_id>/trace", TraceView.as_view(), name="trace"),
    path("recipients/<str:external_id>/inbox", InboxView.as_view(), name="inbox"),
    path("recipients/<str:external_id>/inbox/read", InboxReadView.as_view(), name="inbox-read"),
]
