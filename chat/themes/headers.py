"""What a template says of itself: the comment with which each of ours begins.

A header has a sentence, the names that the template is given and the class that has them, more to know, and its contract::

    {# One message in a timeline. Broadcast: knows no viewer.
       message, continues: MessageItem
       The first <time> is when it was posted.
       Contract 1: .message[id^="message_"][data-seq]; .message__text
       Contract 2 from 0.3: .message[id^="message_"][data-seq]; .message__words #}

The hooks of a contract are selectors: what scripts, streams and style sheets hold on to, and a theme keeps. A template that
names none has contract 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_HEADER = re.compile(r"\{#\s*(.*?)\s*#\}\n", re.DOTALL)
_GIVEN = re.compile(r"(?:^|(?<=[.;] ))([a-z_]+(?:, [a-z_]+)*): ([A-Z]\w+)\b[.;,]? ?")
_CONTRACT = re.compile(r" ?Contract (\d+)(?: from (\d+\.\d+))?: (.*?)(?= Contract \d|$)")


@dataclass(frozen=True)
class Contract:
    """What a theme keeps of a template."""

    version: int
    #: Selectors.
    hooks: tuple[str, ...]
    #: The release in which it comes, such as ``0.3``; empty for the one that holds.
    release: str = ""


@dataclass(frozen=True)
class Template:
    """What a template says of itself."""

    name: str
    sentence: str
    #: What it is given: names of fields, and the class that has them, or of which a single one is.
    given: tuple[tuple[tuple[str, ...], str], ...]
    more: str
    contract: Contract
    #: The contract that the next release has, where it is another.
    coming: Contract | None = None

    @property
    def context(self) -> str:
        """Return the class of its context; empty for layouts and for pictures."""
        return self.given[0][1] if self.given else ""

    @property
    def fields(self) -> set[str]:
        """Return the names it may use."""
        return {name for names, _ in self.given for name in names}

    @property
    def is_broadcast(self) -> bool:
        """Return whether it is rendered for everybody at once, without a request."""
        return "Broadcast" in self.sentence

    @property
    def is_page(self) -> bool:
        """Return whether it is a whole page."""
        folder, _, file = self.name.rpartition("/")
        return (
            file.endswith(".html")
            and not file.startswith("_")
            and folder not in {"layouts", "mail", "shared", "patterns"}
        )


def read_all(folder: Path) -> dict[str, Template]:
    """Read the headers of all templates of a folder, by their names.

    :raises ValueError: one has no header.
    """
    found = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        header = _HEADER.match(path.read_text("utf-8"))
        if header is None:
            raise ValueError(f"templates/{name} does not begin with a comment that says what it is.")
        found[name] = _read(name, " ".join(header[1].split()))
    return found


def _read(name: str, header: str) -> Template:
    contracts = [
        Contract(int(version), tuple(each.strip() for each in hooks.split("; ") if each.strip()), release)
        for version, release, hooks in _CONTRACT.findall(header)
    ]
    said = _CONTRACT.sub("", header)
    now = next((each for each in contracts if not each.release), Contract(1, ()))
    coming = next((each for each in contracts if each.release), None)
    given = list(_GIVEN.finditer(said))
    if not given:
        return Template(name, said, (), "", now, coming)
    return Template(
        name,
        said[: given[0].start()].strip(),
        tuple((tuple(each[1].split(", ")), each[2]) for each in given),
        said[given[-1].end() :],
        now,
        coming,
    )
