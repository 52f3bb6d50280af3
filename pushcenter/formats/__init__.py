"""Dates and times as operators compare them with logs: year first, with seconds, in every language."""
