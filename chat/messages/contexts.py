"""What templates are told about messages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chat.accounts.contexts import PersonContext
from chat.presence.contexts import CrowdContext, PresenceContext
from chat.rooms.contexts import MemberContext, RoomContext

#: Characters of a message.
BODY_LIMIT = 10_000
#: The box, in CSS pixels, into which the timeline fits a picture that is alone.
BOX = (440, 320)


@dataclass(frozen=True)
class PictureContext:
    """A picture of a message. Its size is known before its bytes are, so nothing moves when they come."""

    id: str
    width: int
    height: int

    @property
    def shown(self) -> tuple[int, int]:
        """Return width and height in the timeline when it stands alone; never larger than it is."""
        scale = min(1.0, BOX[0] / self.width, BOX[1] / self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))

    @classmethod
    def sample(cls) -> PictureContext:
        """Return one to look at."""
        return cls("samplesamplesamp", 1600, 1200)


@dataclass(frozen=True)
class DeletionContext:
    """That a message was taken away, and how."""

    at: datetime
    #: Whether its author did it, or a moderator.
    by_author: bool
    #: A moderator's reason; empty when the author did it.
    reason: str = ""
    #: Its text is destroyed: nobody can put it back.
    purged: bool = False

    @classmethod
    def sample(cls) -> DeletionContext:
        """Return one to look at."""
        return cls(datetime(2026, 11, 21, 9, 20, tzinfo=UTC), False, "private details")


@dataclass(frozen=True)
class MessageContext:
    """One entry of a timeline. Of a deleted message only the place is left: no text, no pictures."""

    id: str
    room_id: str
    seq: int
    client_id: str
    author: PersonContext
    #: The text as safe HTML.
    html: str
    created_at: datetime
    edited_at: datetime | None = None
    deletion: DeletionContext | None = None
    pictures: tuple[PictureContext, ...] = ()

    @classmethod
    def sample(cls) -> MessageContext:
        """Return one to look at."""
        from chat.messages.body import to_html

        text = "Lift starts at 14:00 sharp: tide is out until **17:20**."
        moment = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
        return cls(
            "samplesamplesamp", "sampleroomsample", 12, "c-sample", PersonContext.sample(), to_html(text), moment
        )

    @classmethod
    def samples(cls) -> dict[str, MessageContext]:
        """Return others to look at, by the name of the state."""
        one, picture = cls.sample(), PictureContext.sample()
        gone, moment = DeletionContext.sample(), one.created_at
        return {
            "edited": replace(one, edited_at=moment),
            "with a picture": replace(one, html="", pictures=(picture,)),
            "with many pictures": replace(one, pictures=(picture,) * 6),
            "deleted by its author": replace(one, html="", deletion=DeletionContext(gone.at, by_author=True)),
            "removed by a moderator": replace(one, html="", deletion=gone),
            "purged": replace(one, html="", deletion=replace(gone, purged=True)),
        }


@dataclass(frozen=True)
class MessageItem:
    """A message in its place. Broadcast: the same for everybody."""

    message: MessageContext
    #: Whether it goes on from the one before: same author, within five minutes, nothing between.
    continues: bool = False

    @classmethod
    def sample(cls) -> MessageItem:
        """Return one to look at."""
        return cls(MessageContext.sample())

    @classmethod
    def samples(cls) -> dict[str, MessageItem]:
        """Return others to look at, by the name of the state."""
        items = {state: cls(message) for state, message in MessageContext.samples().items()}
        return items | {"one that goes on": replace(cls.sample(), continues=True)}


@dataclass(frozen=True)
class Tombstone:
    """What is left of a deleted message. Broadcast: the same for everybody."""

    #: One with a deletion.
    message: MessageContext

    @classmethod
    def sample(cls) -> Tombstone:
        """Return one to look at."""
        return cls(MessageContext.samples()["removed by a moderator"])

    @classmethod
    def samples(cls) -> dict[str, Tombstone]:
        """Return others to look at, by the name of the state."""
        return {state: cls(message) for state, message in MessageContext.samples().items() if message.deletion}


@dataclass(frozen=True)
class TimelinePage:
    """A stretch of a timeline, oldest first."""

    room_id: str
    items: tuple[MessageItem, ...]
    #: Whether there is more before it, and after it.
    older: bool
    newer: bool
    #: The ``seq`` of the first message not read yet, and until when one had read; None when all was read.
    unread_seq: int | None = None
    unread_since: datetime | None = None
    #: The message that the address is about, and what its reader may do with it: ``edit``, ``delete``, ``remove``,
    #: ``report``, ``restore``.
    target_id: str = ""
    target_actions: tuple[str, ...] = ()

    @classmethod
    def sample(cls) -> TimelinePage:
        """Return one to look at."""
        return cls("sampleroomsample", (MessageItem.sample(),), older=True, newer=False)

    @classmethod
    def samples(cls) -> dict[str, TimelinePage]:
        """Return others to look at, by the name of the state."""
        page, item = cls.sample(), MessageItem.sample()
        return {
            "not read yet": replace(page, unread_seq=item.message.seq, unread_since=item.message.created_at),
            "by a link": replace(page, newer=True, target_id=item.message.id, target_actions=("edit", "delete")),
        }


@dataclass(frozen=True)
class HeldContext:
    """A message that waits for a moderator, as its author or a moderator sees it in the room."""

    id: str
    room_id: str
    author: PersonContext
    own: bool
    #: Why it waits: for its author, and for a moderator.
    sentence: str
    label: str
    created_at: datetime
    #: The text as safe HTML; empty for a moderator, who asks for it.
    html: str
    #: How many there are.
    pictures: int

    @classmethod
    def sample(cls) -> HeldContext:
        """Return one to look at."""
        from chat.messages.body import to_html

        moment = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
        text = to_html("Cheap lenses at lens.example")
        return cls(
            "samplesamplesamh", "sampleroomsample", PersonContext.sample(), True, "A moderator looks at links first.",
            "Links of newcomers", moment, text, 0,
        )  # fmt: skip


@dataclass(frozen=True)
class HeldList:
    """What waits for a moderator in a room, as far as its reader may know."""

    room_id: str
    held: tuple[HeldContext, ...]

    @classmethod
    def sample(cls) -> HeldList:
        """Return one to look at."""
        return cls("sampleroomsample", (HeldContext.sample(),))


@dataclass(frozen=True)
class Timeline:
    """The live part of a room's page: a stretch of its timeline, and the cursor from which its stream goes on."""

    room: RoomContext
    page: TimelinePage
    #: Opaque. Everything up to it is on the page or was before it.
    cursor: str
    #: Seconds between two reports of how far one has read; more in large rooms.
    report_every: int = 3

    @classmethod
    def sample(cls) -> Timeline:
        """Return one to look at."""
        room = RoomContext.sample()
        return cls(room, TimelinePage.sample(), f"{room.id}.e.12")


@dataclass(frozen=True)
class Composer:
    """The form to write a message."""

    room: RoomContext
    #: Names this message, so that sending it twice stores it once.
    client_id: str
    body: str = ""
    #: Why the last try was refused.
    error: str = ""
    limit: int = BODY_LIMIT

    @classmethod
    def sample(cls) -> Composer:
        """Return one to look at."""
        return cls(RoomContext.sample(), "c-sample-1")

    @classmethod
    def samples(cls) -> dict[str, Composer]:
        """Return others to look at, by the name of the state."""
        return {"refused": replace(cls.sample(), body="Lens", error="You are writing very fast. Send it in 3 s.")}


@dataclass(frozen=True)
class PeopleList:
    """The members of a room, beside its timeline."""

    members: tuple[MemberContext, ...]
    #: Of each of them, in the same order; nobody's in a large room.
    presences: tuple[PresenceContext, ...]

    @classmethod
    def sample(cls) -> PeopleList:
        """Return one to look at."""
        return cls((MemberContext.sample(),), (PresenceContext.sample(),))


@dataclass(frozen=True)
class RoomPage:
    """A room."""

    room: RoomContext
    timeline: Timeline
    composer: Composer
    #: An empty message of the viewer's, of which the page makes bubbles for what is being sent.
    bubble: MessageContext
    crowd: CrowdContext
    #: Members shown beside the timeline: the first of them in large rooms.
    members: tuple[MemberContext, ...]
    may_manage: bool
    may_moderate: bool
    #: What waits for a moderator.
    held: tuple[HeldContext, ...] = ()
    #: A message one has just deleted and may still bring back; for pages without script.
    undo_id: str = ""

    @classmethod
    def sample(cls) -> RoomPage:
        """Return one to look at."""
        return cls(
            RoomContext.sample(),
            Timeline.sample(),
            Composer.sample(),
            MessageContext.sample(),
            CrowdContext.sample(),
            (MemberContext.sample(),),
            may_manage=True,
            may_moderate=False,
        )

    @classmethod
    def samples(cls) -> dict[str, RoomPage]:
        """Return others to look at, by the name of the state."""
        page, rooms = cls.sample(), RoomContext.samples()
        found = {
            state: replace(
                page, room=room, timeline=replace(page.timeline, room=room), composer=replace(page.composer, room=room)
            )
            for state, room in rooms.items()
        }
        return found | {"to a moderator": replace(page, may_moderate=True, held=(HeldContext.sample(),))}


@dataclass(frozen=True)
class EditForm:
    """The form to change a message of one's own."""

    message: MessageContext
    body: str
    error: str = ""
    limit: int = BODY_LIMIT

    @classmethod
    def sample(cls) -> EditForm:
        """Return one to look at."""
        return cls(MessageContext.sample(), "Lift starts at 14:00 sharp: tide is out until **17:20**.")


@dataclass(frozen=True)
class DeleteForm:
    """The form to take a message away: one's own, or as a moderator with a reason."""

    message: MessageContext
    own: bool
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> DeleteForm:
        """Return one to look at."""
        return cls(MessageContext.sample(), own=False)


@dataclass(frozen=True)
class PictureTile:
    """A picture that was chosen for a message and is not sent yet."""

    picture: PictureContext

    @classmethod
    def sample(cls) -> PictureTile:
        """Return one to look at."""
        return cls(PictureContext.sample())
