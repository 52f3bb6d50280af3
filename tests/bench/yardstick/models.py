"""The rows that such a service has."""

import uuid

from django.db import models


class Client(models.Model):
    key = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name

    @property
    def is_authenticated(self) -> bool:
        return True


class Template(models.Model):
    code = models.SlugField(unique=True)
    subject = models.TextField()
    body = models.TextField()

    def __str__(self) -> str:
        return self.code


class Person(models.Model):
    external_id = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=100)
    email = models.EmailField()

    def __str__(self) -> str:
        return self.external_id


class Notification(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    client = models.ForeignKey(Client, on_delete=models.PROTECT)
    template = models.ForeignKey(Template, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    params = models.JSONField(default=dict)
    reference = models.CharField(max_length=100, blank=True, db_index=True)
    status = models.CharField(max_length=20, default="pending", db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)
