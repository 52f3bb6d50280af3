"""Whose key a request has."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tests.bench.yardstick.models import Client


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Client, None]:
        secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
        client = Client.objects.filter(key=secret).first()
        if client is None:
            raise AuthenticationFailed
        return client, None
