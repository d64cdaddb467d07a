"""What can go wrong, said so that a person can act on it.

Every error that a person may meet is a ``ChatError``: an HTTP status and one sentence that says what
happened, the value concerned, and the way out. ``chat.web.errors`` turns it into a page or a fragment.

::

    ChatError
    ├── Invalid          422  the input cannot be taken as it is; may name the fields
    ├── NotSignedIn      401  (a page is sent to the sign-in form instead)
    ├── NotAllowed       403
    │   ├── Barred            (a page is sent to where the person reads why)
    │   └── Outdated          (a page shows again what was sent)
    ├── NotFound         404  also for what exists but is not yours to see
    ├── Conflict         409
    ├── TooLarge         413
    ├── TooFast          429  with the seconds to wait
    └── Unavailable      503  with the seconds to wait
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


class ChatError(Exception):
    """The root: ``status`` for HTTP, ``sentence`` for people."""

    status = 500
    title = "Something broke on our side"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        #: What is wrong with which field, where it names any.
        self.fields: dict[str, str] = {}


class Invalid(ChatError):
    """The input cannot be taken as it is. ``fields`` maps a field's name to its own sentence."""

    status = 422
    title = "That did not work"

    def __init__(self, sentence: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.fields = dict(fields or {})


def check_all(*checks: Callable[[], object]) -> None:
    """Call every check, so that a form that is wrong in several fields is refused with all of them named.

    :raises Invalid: naming each field that a check refused, the first one's sentence before the others.
    """
    problems: dict[str, str] = {}
    for check in checks:
        try:
            check()
        except Invalid as problem:
            if not problem.fields:
                raise
            problems |= problem.fields
    if problems:
        raise Invalid(next(iter(problems.values())), problems)


class NotSignedIn(ChatError):
    """Nobody is signed in, or the session has ended."""

    status = 401
    title = "Sign in first"

    def __init__(self, sentence: str = "You are signed out. Sign in to go on.") -> None:
        super().__init__(sentence)


class NotAllowed(ChatError):
    """The person may see it, but not do this."""

    status = 403
    title = "You may not do this"


class Barred(NotAllowed):
    """The person is suspended or banned everywhere: all that is left to them is to read why, and to appeal."""

    def __init__(self) -> None:
        super().__init__("You are shut out of this site for now. Your standing says why, and how to appeal.")


class Outdated(NotAllowed):
    """The form is of a page that was made before this person signed in, or for somebody else.

    :param shown: whether what was sent may be shown again: it is certain that a page of ours sent it.
    :param theirs: whether the page was made for the same person.
    """

    def __init__(self, shown: bool = False, theirs: bool = False) -> None:
        super().__init__("You signed in again since this page was made. Load the page again and send it once more.")
        self.shown = shown
        self.theirs = theirs


class NotFound(ChatError):
    """It does not exist, or this person may not know that it does: the two look the same."""

    status = 404
    title = "Not here"

    def __init__(self, sentence: str = "This page is gone, or you cannot see it.") -> None:
        super().__init__(sentence)


class NoSuchRoom(NotFound):
    """There is no such room, or this person is not in it: in the same words, wherever it is noticed."""

    def __init__(self) -> None:
        super().__init__("This room is gone, or you are not in it.")


class Conflict(ChatError):
    """It was true when the page was made, and is no longer."""

    status = 409
    title = "Things have changed"


class TooLarge(ChatError):
    """More bytes than are taken."""

    status = 413
    title = "Too large"


class TooFast(ChatError):
    """Too many of these in too short a time; ``wait`` is in seconds."""

    status = 429
    title = "A little slower"

    def __init__(self, sentence: str, wait: int) -> None:
        super().__init__(sentence)
        self.wait = max(1, wait)


class Unavailable(ChatError):
    """A part we need does not answer just now; ``wait`` is in seconds."""

    status = 503
    title = "One moment"

    def __init__(
        self, sentence: str = "We cannot reach our database just now. Nothing you wrote is lost.", wait: int = 2
    ) -> None:
        super().__init__(sentence)
        self.wait = max(1, wait)
