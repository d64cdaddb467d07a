"""Lines of the log: one for each thing that happened, as ``name=value``, with the id of the request it belongs to.

Never with the text of a message, a password or a cookie: what is logged are ids, paths and counts.
"""

from __future__ import annotations

import logging

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name


def configure() -> None:
    """Write everything of this process to standard error, from INFO up."""
    formatter = ProcessorFormatter(
        foreign_pre_chain=[
            merge_contextvars,
            add_log_level,
            add_logger_name,
            ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
        ],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.LogfmtRenderer(
                key_order=["time", "level", "logger", "request", "event"], drop_missing=True
            ),
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)


def about_request(request_id: str) -> None:
    """Put the id of a request into every line of this greenlet or thread from here on."""
    clear_contextvars()
    bind_contextvars(request=request_id)
