"""What tells people apart is given, and not to be put on."""

import pytest

from chat.core import names


@pytest.mark.parametrize("tag", [" #ABCD", " \uff03abcd", " \u266fabcd", " # abcd", " #\u0430bcd", "#abcd", " #abc1"])
def test_what_looks_like_a_tag_is_no_part_of_a_name(tag: str):
    assert names.likeness(f"Ada Lindqvist{tag}") == names.likeness("Ada Lindqvist")


@pytest.mark.parametrize("name", ["C#", "Room #12", "Team # seven"])
def test_other_numbers_are(name: str):
    assert "#" in names.likeness(name)
