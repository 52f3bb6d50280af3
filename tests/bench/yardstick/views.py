"""The one call that such a service has."""

from typing import Any

from django.db import transaction
from django_q.tasks import async_task
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tests.bench.yardstick.models import Notification, Person, Template


class ToSerializer(serializers.Serializer):
    recipient: Any = serializers.SlugRelatedField(slug_field="external_id", queryset=Person.objects.all())


class NotificationSerializer(serializers.Serializer):
    template: Any = serializers.SlugRelatedField(slug_field="code", queryset=Template.objects.all())
    to = ToSerializer()
    params = serializers.DictField(child=serializers.CharField())
    reference = serializers.CharField(required=False, max_length=100)


class Notifications(generics.GenericAPIView):
    serializer_class = NotificationSerializer

    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        with transaction.atomic():
            row = Notification.objects.create(
                client=request.user,
                template=values["template"],
                person=values["to"]["recipient"],
                params=values["params"],
                reference=values.get("reference", ""),
            )
            async_task("tests.bench.yardstick.tasks.send", str(row.pk))
        return Response({"id": row.pk, "status": row.status}, status=202)
