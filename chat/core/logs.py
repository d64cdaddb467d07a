"""Lines of the log: one for each thing that happened, as ``name=value``, with the id of the request it belongs to.

Never with the text of a message, a password or a cookie: what is logged are ids, paths and counts.
"""

from __future__ import annotations

import logging
from typing import Any

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
            _visible,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)


#: Characters that a terminal obeys or hides, or that some viewers take for the end of a line: C0, C1, DEL, separators of lines,
#: and the marks that turn the direction of text.
_UNSEEN = [
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
]
_ESCAPED = {code: ascii(chr(code))[1:-1] for code in _UNSEEN}


def _visible(logger: Any, name: str, line: Any) -> str:
    """Return a line with every character visible and none that acts: the last step, whatever was logged."""
    return str(line).translate(_ESCAPED)


def about_request(request_id: str) -> None:
    """Put the id of a request into every line of this greenlet or thread from here on."""
    clear_contextvars()
    bind_contextvars(request=request_id)
