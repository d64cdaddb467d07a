"""A room's page, its messages and its event stream."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import IO

from flask import Blueprint, Response, current_app, request

from chat import pictures, realtime
from chat.accounts.guards import often, signed_in, viewer
from chat.accounts.sessions import Viewer
from chat.core import clock, ids
from chat.core.database import db
from chat.core.errors import ChatError, Invalid, NoSuchRoom, NotAllowed, NotFound, TooFast
from chat.messages import policy, queries, service
from chat.messages.contexts import (
    Composer,
    DeleteForm,
    EditForm,
    HeldContext,
    HeldList,
    MessageContext,
    PictureContext,
    PictureTile,
    RoomPage,
    Timeline,
    TimelinePage,
)
from chat.messages.forms import MessageForm
from chat.messages.models import UNDO_WINDOW, Message
from chat.messages.service import Held, Posted
from chat.presence import queries as presence
from chat.realtime import streams
from chat.realtime.cursor import Cursor
from chat.realtime.tickets import Ticket
from chat.rooms import policy as room_policy
from chat.rooms import queries as rooms
from chat.rooms.contexts import JoinPage, RoomContext
from chat.rooms.queries import Door
from chat.web import forms, rate_limits, security
from chat.web.htmx import is_htmx, see_other
from chat.web.templating import for_room, render_page, render_part
from chat.web.urls import path_for

blueprint = Blueprint("messages", __name__)

#: Reads the part of a room's timeline that is to be shown; None for where one left off.
Find = Callable[[str], TimelinePage | None]

_TOO_FAST = "You are writing very fast. Your message is kept; send it in {wait}."
_TOO_MANY_PICTURES = "Many pictures in a short time. Send the next one in {wait}."


# -- the page


@blueprint.get("/rooms/<id:room_id>")
@signed_in
def show(room_id: str) -> str:
    """Show a room: where one left off, or the part that ``before``, ``after`` or ``around`` names."""
    try:
        door = rooms.get_membership(room_id, viewer().id)
    except NotFound:
        if not viewer().may("room.find"):
            raise
        room = rooms.get_joinable(room_id)
        context = RoomContext(room.id, room.kind, room.name, room.purpose)
        return render_page("rooms/join.html", JoinPage(context, rooms.member_count(room_id)), room_id)
    return _room_page(door, undo_id=request.args.get("undo", ""))


@blueprint.get("/rooms/<id:room_id>/messages/<id:message_id>")
@signed_in
def permalink(room_id: str, message_id: str) -> str:
    """Show a room around one message."""
    door = rooms.get_membership(room_id, viewer().id)
    message = queries.get_visible(message_id, viewer().id)
    if message.room_id != room_id:
        raise NotFound

    def find(room_id: str) -> TimelinePage:
        page = queries.around(room_id, message.seq)
        moderates = room_policy.may_moderate(door.room, door.membership, viewer().role)
        return replace(page, target_id=message.id, target_actions=_actions(message, moderates))

    return _room_page(door, find)


def _actions(message: Message, moderates: bool) -> tuple[str, ...]:
    """Return what the viewer may do with a message: for pages without script, which has it in the bar of the message."""
    own, now = message.author_id == viewer().id, clock.now()
    if message.deleted_at is not None:
        undoable = own and message.deleted_by == viewer().id and now - message.deleted_at <= UNDO_WINDOW
        if moderates and message.purged_at is None:
            return ("show", "restore")
        return ("restore",) if undoable else ()
    versions = ("versions",) if message.edited_at is not None else ()
    if own:
        edit = ("edit",) if now - message.created_at <= policy.EDIT_WINDOW else ()
        return (*edit, "delete", *versions)
    return ("remove", "report", *versions) if moderates else ("report",)


@blueprint.get("/rooms/<id:room_id>/messages")
@signed_in
def index(room_id: str) -> str:
    """Show a page of the timeline as a fragment; without ``before`` or ``after`` the live part of the room's page."""
    door = rooms.get_membership(room_id, viewer().id)
    if "around" not in request.args:
        page = _asked_page(room_id)
        if page is not None:
            return render_part(for_room("messages/_page.html", room_id), page)
    find: Find = lambda room_id: _asked_page(room_id) or queries.latest(room_id)  # noqa: E731 - said in place
    return render_part(for_room("messages/_timeline.html", room_id), _timeline(door, find, len(_everybody(room_id))))


@blueprint.get("/rooms/<id:room_id>/held")
@signed_in
def held(room_id: str) -> str:
    """Show what waits for a moderator in a room, as a fragment: one's own, and to moderators that of others."""
    door = rooms.get_membership(room_id, viewer().id)
    return render_part("messages/_held.html", HeldList(room_id, _held(door)))


def _held(door: Door) -> tuple[HeldContext, ...]:
    moderates = room_policy.may_moderate(door.room, door.membership, viewer().role)
    return queries.held_in(door.room.id, viewer().id, moderates)


def _room_page(door: Door, find: Find | None = None, refused: Composer | None = None, undo_id: str = "") -> str:
    who, room_id = viewer(), door.room.id
    room = rooms.room_context(door.room, who.id)
    everybody = _everybody(room_id)
    timeline = _timeline(door, find or _asked_stretch, len(everybody))
    members = rooms.members(room_id, rooms.SHOWN_MEMBERS)
    context = RoomPage(
        room=room,
        timeline=timeline,
        composer=refused or Composer(room, ids.new()),
        bubble=MessageContext("pending", room_id, 0, "pending", who.person, "", clock.now()),
        crowd=presence.crowd(room_id, everybody),
        members=members,
        may_manage=room_policy.may_manage(door.room, door.membership),
        may_moderate=room_policy.may_moderate(door.room, door.membership, who.role),
        held=_held(door),
        undo_id=undo_id if ids.is_id(undo_id) else "",
    )
    return render_page("rooms/show.html", context, room_id)


def _everybody(room_id: str) -> Collection[str]:
    """Return who is in a room: as the room's streams know it, where it is open."""
    feed = realtime.here().pump.feeds.get(room_id)
    return feed.members if feed is not None else rooms.member_ids(room_id)


def _timeline(door: Door, find: Find, members: int) -> Timeline:
    room, read = door.room, door.membership
    # The room was read before the messages: what happens in between comes once more by the stream, and is recognised.
    cursor = Cursor(room.id, realtime.here().pump.current_epoch(), room.head)
    unread = room.posted - read.last_read_number
    page = find(room.id)
    if page is None:
        page = queries.opening(room.id, read.last_read_seq, unread)
    return Timeline(
        room=rooms.room_context(room, viewer().id),
        page=_with_unread(page, read.last_read_seq) if unread > 0 else page,
        cursor=str(cursor),
        report_every=max(3, members // 100),
    )


def _with_unread(page: TimelinePage, read_seq: int) -> TimelinePage:
    """Mark the first message that was not read, and until when one had read."""
    standing = (item.message for item in page.items if item.message.deletion is None)
    fresh = next((message for message in standing if message.seq > read_seq), None)
    earlier = [item.message.created_at for item in page.items if item.message.seq <= read_seq]
    if fresh is None or (page.older and not earlier):
        return page  # it is further up
    return replace(page, unread_seq=fresh.seq, unread_since=earlier[-1] if earlier else fresh.created_at)


def _asked_stretch(room_id: str) -> TimelinePage | None:
    page = _asked_page(room_id)
    return page if page and page.items else None


def _asked_page(room_id: str) -> TimelinePage | None:
    for name, find in (("before", queries.before), ("after", queries.after), ("around", queries.around)):
        if name in request.args:
            return find(room_id, _seq(request.args[name]))
    return None


def _seq(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(f"{text[:20]!r} is not a place in a timeline.")
    return int(text)


# -- posting


@blueprint.post("/rooms/<id:room_id>/messages")
@signed_in
@often
@security.takes(4 * pictures.MAX_BYTES + 512 * 1024)
def create(room_id: str) -> Response:
    """Post a message."""
    who = viewer()
    form = MessageForm.read()
    try:
        done = _post(room_id, form, who)
        return _held_answer(done) if isinstance(done, Held) else _answer(done)
    except NotFound:
        raise
    except ChatError as problem:
        if is_htmx():
            raise
        return _refused(room_id, form, problem)


def _post(room_id: str, form: MessageForm, who: Viewer) -> Posted | Held:
    """Post a message, or find the one that was posted under its ``client_id`` already.

    A repeat of mere text runs into the database's constraint, or into a refusal: looking for it first would cost every
    message a query. Pictures can be sent only once, so there it is looked for before they are touched.
    """
    same = (room_id, who.id, form.body, form.client_id)
    if form.pictures or form.files:
        return service.find_repeat(*same) or _post_new(room_id, form, who)
    try:
        return _post_new(room_id, form, who)
    except ChatError:
        repeat = service.find_repeat(*same)
        if repeat is None:
            raise
        return repeat


def _post_new(room_id: str, form: MessageForm, who: Viewer) -> Posted | Held:
    rate_limits.limit("20/10 seconds", _TOO_FAST, "messages", who.id, shared=False)
    service.check_body(form.body, len(form.pictures) + len(form.files))
    shown = _own_pictures(form.pictures, who)
    if form.files:
        room_policy.require_may_write(rooms.get_membership(room_id, who.id).membership, clock.now())
        shown += [_keep(file.stream, who) for file in form.files]
    return service.send_message(room_id, who.person, form.body, form.client_id, shown)


def _refused(room_id: str, form: MessageForm, problem: ChatError) -> Response:
    """Show the page again with the text still in the box, and why it was not sent."""
    door = rooms.get_membership(room_id, viewer().id)
    room = rooms.room_context(door.room, viewer().id)
    composer = Composer(room, ids.new(), form.body, problem.sentence)
    response = Response(_room_page(door, refused=composer), problem.status)
    if hasattr(problem, "wait"):
        response.headers["Retry-After"] = str(problem.wait)
    return response


def _answer(posted: Posted, status: int = 201, query: Mapping[str, str] | None = None) -> Response:
    """Answer a change of a message: the page that shows it, or nothing but where it is; its frame does the rest."""
    link = path_for("messages.permalink", room_id=posted.room_id, message_id=posted.message_id)
    if is_htmx():
        response = Response(status=status, headers={"Location": link})
    else:
        anchor = f"message_{posted.message_id}"
        response = see_other(path_for("messages.show", room_id=posted.room_id, _anchor=anchor, **(query or {})))
    response.headers["Chat-Message"] = link
    response.headers["Chat-Seq"] = str(posted.seq)
    if posted.repeated:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _held_answer(held: Held) -> Response:
    """Answer that a message waits for a moderator: the page that shows it as waiting, or its id."""
    if is_htmx():
        response = Response(status=202)
    else:
        response = see_other(path_for("messages.show", room_id=held.room_id, _anchor=f"held_{held.held_id}"))
    response.headers["Chat-Held"] = held.held_id
    if held.repeated:
        response.headers["Idempotent-Replayed"] = "true"
    return response


@blueprint.post("/held/<id:held_id>/withdraw")
@signed_in
def withdraw(held_id: str) -> Response:
    """Take back a message of one's own that waits for a moderator."""
    room_id = service.withdraw(held_id, viewer().id)
    return Response(status=204) if is_htmx() else see_other(path_for("messages.show", room_id=room_id))


# -- changing, deleting, restoring


@blueprint.get("/messages/<id:message_id>/edit")
@signed_in
def edit(message_id: str) -> str:
    """Show the form to change a message of one's own."""
    message = queries.get_visible(message_id, viewer().id)
    policy.require_may_edit(message, viewer().id, clock.now())
    return _form("messages/edit.html", EditForm(_context(message_id), message.body))


@blueprint.post("/messages/<id:message_id>/edit")
@signed_in
def update(message_id: str) -> Response:
    """Change a message."""
    body = forms.text("body")
    rate_limits.limit("20/10 seconds", _TOO_FAST, "messages", viewer().id, shared=False)
    try:
        return _answer(service.edit_message(message_id, viewer().id, body), status=200)
    except (Invalid, NotAllowed) as problem:
        queries.get_visible(message_id, viewer().id)
        page = EditForm(_context(message_id), body, problem.sentence)
        return Response(_form("messages/edit.html", page), problem.status)


@blueprint.get("/messages/<id:message_id>/delete")
@signed_in
def delete_form(message_id: str) -> str:
    """Show the form to delete a message."""
    message = queries.get_visible(message_id, viewer().id)
    own = message.author_id == viewer().id
    if not own:
        moderates = rooms.moderates(message.room_id, viewer().id, viewer().role)
        policy.require_may_delete(message, viewer().id, moderates, "to be given")
    return _form("messages/delete.html", DeleteForm(_context(message_id), own))


@blueprint.post("/messages/<id:message_id>/delete")
@signed_in
def delete(message_id: str) -> Response:
    """Delete a message."""
    who, reason = viewer(), forms.line("reason")
    try:
        posted = service.delete_message(message_id, who.id, who.role, reason)
    except Invalid as problem:
        page = DeleteForm(_context(message_id), False, reason, problem.fields)
        return Response(_form("messages/delete.html", page), problem.status)
    return _answer(posted, status=200, query={"undo": message_id})


@blueprint.post("/messages/<id:message_id>/restore")
@signed_in
def restore(message_id: str) -> Response:
    """Put a deleted message back."""
    who = viewer()
    return _answer(service.restore_message(message_id, who.id, who.role), status=200)


def _context(message_id: str) -> MessageContext:
    return queries.contexts([message_id])[message_id]


def _form(template: str, context: EditForm | DeleteForm) -> str:
    """Render a form as a page of its own, or as the part of it that a script asked for."""
    return render_part(template.replace("/", "/_"), context) if is_htmx() else render_page(template, context)


# -- pictures


@blueprint.post("/rooms/<id:room_id>/pictures")
@signed_in
@security.takes(pictures.MAX_BYTES + 64 * 1024)
def upload(room_id: str) -> Response:
    """Take a picture for a message that is still being written; answer with what the form sends of it."""
    who = viewer()
    room_policy.require_may_write(rooms.get_membership(room_id, who.id).membership, clock.now())
    file = request.files.get("image")
    if file is None or not file.filename:
        raise Invalid("Choose a picture.")
    return Response(render_part("messages/_tile.html", PictureTile(_keep(file.stream, who))), 201)


@blueprint.post("/pictures/<id:picture_id>/delete")
@signed_in
def discard_picture(picture_id: str) -> Response:
    """Take back a picture that was not sent."""
    service.discard_picture(picture_id, viewer().id)
    return Response(status=204)


@blueprint.get("/pictures/<id:picture_id>/<any(full, thumb):size>")
@signed_in
def picture(picture_id: str, size: str) -> Response:
    """Send a picture to somebody who may see the message it is in."""
    if not queries.picture_visible(picture_id, viewer().id):
        raise NotFound("This picture is gone, or you cannot see it.")
    return pictures.send(picture_id, size)


def _keep(stream: IO[bytes], who: Viewer) -> PictureContext:
    rate_limits.limit("60/5 minutes", _TOO_MANY_PICTURES, "pictures", who.id)
    picture_id = pictures.keep(stream, who.id)
    found = queries.own_unsent(picture_id, who.id)
    assert found is not None  # noqa: S101 - we have just made it
    return found


def _own_pictures(picture_ids: tuple[str, ...], who: Viewer) -> list[PictureContext]:
    found = [queries.own_unsent(picture_id, who.id) for picture_id in picture_ids]
    if None in found:
        raise Invalid("A picture of this message is gone. Choose it once more.")
    return [each for each in found if each is not None]


# -- reading


@blueprint.post("/rooms/<id:room_id>/read")
@signed_in
@often
def read(room_id: str) -> Response:
    """Note how far one has read. With the field ``back`` it leads to the room, for pages without script."""
    service.mark_read(room_id, viewer().id, _seq(forms.line("seq")))
    return see_other(path_for("messages.show", room_id=room_id)) if "back" in request.form else Response(status=204)


# -- the stream


@blueprint.get("/events")
@signed_in
def events() -> Response:
    """Open the event stream. Most requests never get here: the door of the server has answered them."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise NotAllowed("An event stream is for pages of this site.")
    process, who = realtime.here(), viewer()
    ticket = Ticket(who.id, who.session_id)
    if not process.streams.has_room(ticket):
        raise TooFast("You have very many pages open. Close some of them.", 60)
    asked = streams.wanted(request.query_string.decode("ascii", "replace"), request.headers.get("Last-Event-ID"))
    resolved = process.streams.resolve(ticket, asked)
    if resolved.refused:
        raise NoSuchRoom
    db.session.remove()
    process.start()  # where another WSGI server runs us, nobody has yet
    stream = streams.Stream(process.streams, ticket, resolved)
    headers = security.stream_headers(current_app.config["SETTINGS"])
    return Response(stream, headers=headers, direct_passthrough=True)


@blueprint.post("/events/ticket")
@signed_in
@often
def renew_ticket() -> Response:
    """Answer with a fresh ticket for the door, so that a page left open can still come back through it."""
    return Response(status=204)
