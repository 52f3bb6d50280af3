"""The yardstick: the usual way to write a notification service by hand, on the same libraries.

A DRF view with a serializer, a row by the ORM, one django-q2 task for each message, an update by the ORM; database
connections are kept. Nothing here is made slow on purpose, and nothing fast.
"""
