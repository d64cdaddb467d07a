"""What rules find, whatever somebody writes it with, and what they do not find."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chat.moderation.rules import matching
from chat.moderation.rules.matching import Said

NOW = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)


def found(kind: str, text: str, /, **settings: Any) -> list[str] | None:
    """Return the parts of a text that a rule is about; None: it is not."""
    spans = matching.finder(kind, settings)(Said(text, NOW))
    return None if spans is None else [text[start:end] for start, end in spans]


def words(text: str, *listed: str, allow: tuple[str, ...] = ()) -> list[str] | None:
    return found("words", text, words=list(listed), allow=list(allow))


@pytest.mark.parametrize(
    "text",
    [
        "casino",
        "A CASINO!",
        "(casino)",
        "the_casino_here",
        "cаsino",  # Cyrillic а
        "саѕіnо",  # nearly all of it Cyrillic
        "cαsιnο",  # Greek
        "càsínö",
        "ca\u0301sino",
        "c\u00adasino",  # a soft hyphen
        "ca\u200bsi\u200dno",  # zero-width space and joiner
        "c\u2060a\ufe0fsino",
        "ca\U000e0fffsi\u2065no",  # not assigned, and drawn as nothing
        "ｃａｓｉｎｏ",  # full width
        "𝐜𝐚𝐬𝐢𝐧𝐨",  # mathematical bold
        "𝒸𝒶𝓈𝒾𝓃ℴ",
        "🅒🅐🅢🅘🅝🅞",
        "🇨🇦🇸🇮🇳🇴",
        "ᴄᴀꜱɪɴᴏ",
        "ca5ino",
        "c@sin0",
        "ca$ino",
        "cas1no",
        "cas!no",
        "c4s1n0!",
        "c a s i n o",
        "c.a.s.i.n.o",
        "c - a - s - i - n - o",
        "c_a_s_i_n_o",
        "ꓚꓮꓢꓲꓠꓳ",  # Lisu
        "ꮯasino",  # Cherokee
        "ᏟᎪsino",
        "caʂino",
        "ϲasino",  # the lunate sigma
        "ᑕᗩᔕiᑎᗝ",  # Canadian syllabics
        "ꞔⱥsino",
        "𐊢asino",  # Carian
        "cas-ino",
        "cas/ino",
        "ca.si.no",
        "cas_ino",
        "casiiino",
        "CAAASINOOOO!",
    ],
)
def test_a_word_is_found_however_it_is_spelt(text: str):
    assert words(f"come to the {text} tonight", "casino")


@pytest.mark.parametrize(
    "text",
    [
        "casinos",
        "mycasino",
        "cas in o",
        "cas ino",
        "cassino",
        "occasion",
        "occasinoval",
        "455",
        "a house",
        "AaaS",
    ],
)
def test_a_whole_word_is_not_found_in_another(text: str):
    assert words(f"come to the {text} tonight", "casino", "ass") is None


@pytest.mark.parametrize("text", ["mecca-sino-soviet", "Chica-sinoatrial", "as-signed", "assss"])
def test_what_stands_beside_it_by_chance_is_not_it(text: str):
    assert words(text, "*casino*", "assign") is None


def test_the_part_that_was_found_is_named():
    assert words("see www.cas-ino.example, CASIIINO", "casino") == ["cas-ino", "CASIIINO"]
    assert words("the C@SIN0, and a càsino.", "casino") == ["C@SIN0", "càsino"]
    assert words("c a s i n o here", "casino") == ["c a s i n o"]


@pytest.mark.parametrize("text", ["cas**ino**", "c*as*ino", "cas`in`o", "[cas](https://a.example)ino"])
def test_marks_inside_of_a_word_do_not_hide_it(text: str):
    assert words(f"come to the {text} tonight", "casino") is not None


def test_beginnings_ends_and_parts():
    for text, hits in {"spam": 1, "spammer": 1, "antispam": 0, "antispammer": 0}.items():
        assert bool(words(text, "spam*")) == bool(hits), text
    for text, hits in {"spam": 1, "spammer": 0, "antispam": 1, "antispammer": 0}.items():
        assert bool(words(text, "*spam")) == bool(hits), text
    assert all(words(text, "*spam*") for text in ("spam", "spammer", "antispam", "antispammer"))


def test_several_words_in_a_row():
    assert words("you can BUY - now!", "buy now") == ["BUY - now"]
    assert words("buy it now", "buy now") is None


def test_words_are_allowed_all_the_same():
    assert words("from Scunthorpe with love", "*cunt*", allow=("scunthorpe",)) is None
    assert words("Scunthorpe, you cunt", "*cunt*", allow=("scunthorpe",)) == ["cunt"]
    assert words("Scunthorpian", "*cunt*", allow=("scunthorpe",)) == ["cunt"]


def test_a_word_is_allowed_twice_in_a_row():
    assert words("class class class", "*ass*", allow=("class",)) is None


@pytest.mark.parametrize(
    "pattern", [r"\b\d{4}( \d{4}){3}\b", r"[a-z]{1,64}@[a-z]{1,64}", r"[{}\]]{3}", "a{2,}", r"\{9999\}"]
)
def test_usual_counts_are_no_large_pattern(pattern: str):
    assert matching.compiled(pattern)


def test_numbers_are_no_words():
    assert words("there were 455 of 1,337 on 5.5.2026", "ass", "leet", "ss") is None
    assert words("l33t", "leet") == ["l33t"]
    assert words("he1l and f1ve", "hell", "five") == ["he1l", "f1ve"]


def test_words_of_other_scripts():
    assert words("это плохо", "плохо") == ["плохо"]
    assert words("これはスパムです", "*スパム*") == ["スパム"]
    assert words("هذا سيئ", "سيئ")


def test_a_pattern_that_never_ends_is_left_out_and_the_next_one_is_asked():
    text = "a" * 5000 + "!"
    started = time.process_time()
    assert found("pattern", text, patterns=["(a+)+$", r"!"]) == ["!"]
    assert time.process_time() - started < 1


def test_patterns_know_no_case():
    assert found("pattern", "Call 0170 555 0198 NOW", patterns=[r"\b0\d{3}( \d+)+", "now"]) == ["0170 555 0198", "NOW"]


@pytest.mark.parametrize(
    ("mode", "hit"),
    [("all", True), ("only", True), ("but", False)],
)
def test_links(mode: str, hit: bool):
    def links(text: str) -> bool:
        return found("links", text, mode=mode, hosts=["lens.example"]) is not None

    assert links("see https://shop.LENS.example/a?b") == hit
    assert links("see https://lens.example.evil.example") == (mode != "only")
    assert links("[a](https://notlens.example)") == (mode != "only")
    assert links("ftp://a.lens.example/x") == hit
    assert links("https://bank.example@notlens.example/") == (mode != "only")
    assert links("come to notlens.com, or bit.ly/abc") == (mode != "only"), "addresses that no link is made of"
    assert not links("see README.md and main.py. It was late.So we went")
    assert not links("no link at all, lens, example.")
    assert not links("write to me@lens.example")


@pytest.mark.parametrize(
    "address",
    [
        "https:///evil.example",
        "http:////evil.example",
        "https://evil%2Eexample/",
        "https://%65vil.example",
        "https://evil。example",
    ],
)
def test_a_link_leads_where_a_browser_goes(address: str):
    assert matching.host_of(address) == "evil.example"


def test_mentions_capitals_newcomers():
    assert found("mentions", "@a @b @c hello", most=2) == ["@a", "@b", "@c"]
    assert found("mentions", "@a @a @A me@b.example", most=2) is None
    assert found("capitals", "THIS IS VERY LOUD", letters=12, percent=70) == []
    assert found("capitals", "OK, NATO", letters=12, percent=70) is None
    assert found("capitals", "This Is Not Very Loud At All", letters=12, percent=70) is None
    assert found("capitals", "これは大声ではありません。これは大声では", letters=12, percent=70) is None
    find = matching.finder("newcomers", {"minutes": 15})
    assert find(Said("hello", NOW, NOW - timedelta(minutes=14))) == []
    assert find(Said("hello", NOW, NOW - timedelta(minutes=15))) is None


def test_repeats_and_floods():
    earlier = [(NOW - timedelta(seconds=n), f"Hello, number {n}") for n in range(1, 12)]
    repeats = matching.finder("repeats", {"seconds": 10})
    assert repeats(Said("hello number 9!", NOW, earlier=earlier)) == []
    assert repeats(Said("hello number 10", NOW, earlier=earlier)) is None
    assert repeats(Said("hello number 12", NOW, earlier=earlier)) is None
    assert matching.finder("flood", {"most": 9, "seconds": 10})(Said("x", NOW, earlier=earlier)) == []
    assert matching.finder("flood", {"most": 10, "seconds": 10})(Said("x", NOW, earlier=earlier)) is None


def test_no_rule_has_a_thousand_places_in_one_text():
    """Of what is in every other word some places are named, and the rest of the text is left alone."""
    spans = found("words", "x " * 5000, words=["*x*", "*y*"])
    assert spans == ["x"] * 200
