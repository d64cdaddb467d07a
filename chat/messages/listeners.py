"""Pictures of deleted messages, pictures that were never sent, and the unread count of a member who returns."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

from sqlalchemy import select

from chat import pictures
from chat.accounts.models import User
from chat.core import clock, ids, jobs
from chat.core.background import every
from chat.core.bus import during
from chat.core.database import db
from chat.messages import queries, service
from chat.messages.events import MessageDeleted
from chat.messages.models import Attachment, Message
from chat.pictures.models import Picture
from chat.rooms.events import MemberReturned

#: A picture that nobody sent is kept for a day, for drafts.
UNSENT_LIFE = timedelta(days=1)


@during(MessageDeleted)
def hide_pictures(event: MessageDeleted) -> None:
    """Promise to make addresses useless that somebody may have kept; ours are refused from this moment on."""
    message = db.session.get(Message, event.ref_id)
    shown = queries.picture_ids(event.ref_id) if message is not None and message.pictures else []
    if shown:
        new_keys = {picture_id: ids.new() for picture_id in shown}
        jobs.add("hide_pictures", f"hide:{event.ref_id}:{event.seq}", {"new_keys": new_keys})


@during(MemberReturned)
def count_unread(event: MemberReturned) -> None:
    """Count the unread messages of a returning member again: some may have been deleted meanwhile."""
    service.count_unread(event.room_id, event.ref_id)


@jobs.handles("hide_pictures")
def do_hide_pictures(due: jobs.Due) -> None:
    """Do so."""
    pictures.hide(due.payload["new_keys"])


@every(3600.0)
def forget_unsent() -> None:
    """Destroy pictures that were uploaded and never used."""
    statement = (
        select(Picture.id)
        .outerjoin(Attachment, Attachment.picture_id == Picture.id)
        .outerjoin(User, User.picture_id == Picture.id)
        .where(Picture.created_at < clock.now() - UNSENT_LIFE, Attachment.picture_id.is_(None), User.id.is_(None))
    )
    kept = queries.kept_pictures()
    unused = (each for each in db.session.execute(statement).scalars() if each not in kept)
    pictures.discard(*islice(unused, 500))
