"""Confab: a room with members and a timeline, in several faces.

``core`` is the kernel; ``web``, ``realtime``, ``pictures`` and ``server`` are the infrastructure; then come the features of
the chat, and those of its moderation as one family. Each feature is cut by layer with the same file names everywhere.
``pyproject.toml`` has the order of all of them, which import-linter checks; ``docs/architecture.md`` says what each is and
walks one message through. ``app.py`` is the only module that names the features.
"""
