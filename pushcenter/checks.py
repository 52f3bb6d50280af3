"""Mistakes in the settings, said at the start with a hint."""
