"""What moderators decided, told to the person it is about, with a mark on every page while it is unread."""

from __future__ import annotations

from flask import Flask

from chat.notices import broadcasts, models
from chat.realtime import Realtime

__all__ = ["init_app", "models"]


def init_app(app: Flask) -> None:
    """Register how every process hears of a notice."""
    process: Realtime = app.extensions["realtime"]
    process.controls["notice"] = broadcasts.show
