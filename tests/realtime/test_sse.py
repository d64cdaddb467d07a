"""The wire format: no text can break out of its frame."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.realtime import sse


def parse(data: bytes) -> list[dict[str, str]]:
    """Read a stream as the HTML standard says (9.2.6), written without a look at the encoder."""
    events: list[dict[str, str]] = []
    current: dict[str, str] = {}
    lines: list[str] = []
    for line in re.split("\r\n|\r|\n", data.decode("utf-8")):
        if line == "":
            if lines or current:
                events.append(current | {"data": "\n".join(lines)})
            current, lines = {}, []
            continue
        if line.startswith(":"):
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            lines.append(value)
        else:
            current[name] = value
    return events


ANY_TEXT = st.text(st.characters(), max_size=200) | st.lists(
    st.sampled_from(
        ["\r", "\n", "\r\n", "data: x", "id: 999999", "event: bye", "\0", "\u2028", "\x85", "\x0b", "\ud800", ":", " "]
    )
).map("".join)


@given(ANY_TEXT)
def test_any_text_comes_back_as_it_was(text: str):
    events = parse(sse.encode("message.posted", text, id="room.epoch.7") + sse.encode("ping"))
    expected = re.sub("\r\n|\r", "\n", text).encode("utf-8", "replace").decode()
    assert events == [
        {"event": "message.posted", "id": "room.epoch.7", "data": expected},
        {"event": "ping", "data": ""},
    ]


def test_every_event_has_a_data_line():
    assert sse.encode("ping") == b"event: ping\ndata: \n\n"
    assert sse.retry(1200.7) + sse.encode("hello") == b"retry: 1200\nevent: hello\ndata: \n\n"


@pytest.mark.parametrize("name", ["", "a b", "a\nid: 9", "Message", "a.b.c", "a:"])
def test_it_refuses_names_that_could_break_a_frame(name: str):
    with pytest.raises(ValueError, match="not an event name"):
        sse.encode(name)


@pytest.mark.parametrize("identity", ["", "a\nb", "a b", "a\r", "a\0"])
def test_it_refuses_ids_that_could_break_a_frame(identity: str):
    with pytest.raises(ValueError, match="not an event id"):
        sse.encode("ping", id=identity)
