"""One file for each provider.

Of the project it imports ``channels_app.contract``, ``channels``, ``http`` and, for mail, ``mime``; no more.
"""
