"""The mark that somebody has notices, on their open pages."""

from __future__ import annotations

from typing import Any

from chat import realtime
from chat.accounts import guards
from chat.core.bus import after
from chat.notices import queries
from chat.notices.contexts import NoticeMark
from chat.notices.events import PersonTold
from chat.web.templating import render_fragment


@after(PersonTold)
def tell_processes(event: PersonTold) -> None:
    """Have every process show the mark."""
    realtime.here().tell_all("notice", user=event.person_id)


def show(message: dict[str, Any]) -> None:
    """Show a person, on this process, how many notices they have not read."""
    user_id = message["user"]
    guards.sessions().forget_person(user_id)
    if user_id in realtime.here().hub.users:
        mark = NoticeMark(queries.unread(user_id))
        realtime.here().to_user_here(user_id, "notice", render_fragment("notices/_mark.html", mark))
