"""Telling people who are not looking: e-mail, as jobs that follow what happened. Imported by nobody."""

from __future__ import annotations

from flask import Flask

from chat.notifications import listeners, mailer

__all__ = ["init_app", "listeners"]


def init_app(app: Flask) -> None:
    """Set up how e-mail leaves."""
    mailer.init_app(app)
