"""One normal form of a network address, and limits that count by it."""

from __future__ import annotations

import pytest
from flask import Flask

from chat.core import addresses
from tests.accounts.test_sign_in import sign_in
from tests.conftest import Cast, make_cast

#: Ways to write 198.51.100.7 that a proxy, a translator or a server for both kinds of addresses may have.
SPELLINGS = (
    "198.51.100.7", " 198.51.100.7 ", "198.51.100.7:4711", "::ffff:198.51.100.7", "::FFFF:198.51.100.7", "::ffff:c633:6407",
    "0:0:0:0:0:ffff:198.51.100.7", "0000:0000:0000:0000:0000:ffff:c633:6407", "[::ffff:198.51.100.7]",
    "[::ffff:198.51.100.7]:4711", "[::ffff:c633:6407]:4711", "::ffff:198.51.100.7:4711", "::ffff:198.51.100.7%eth0",
    "::ffff:0:198.51.100.7", "64:ff9b::198.51.100.7", "64:ff9b::c633:6407", '"198.51.100.7:4711"', "[198.51.100.7]:4711",
)  # fmt: skip


@pytest.mark.parametrize("text", SPELLINGS)
def test_an_address_is_the_same_however_it_is_written(text: str):
    assert addresses.normal(text) == "198.51.100.7"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[fe80::7%25eth0]:443", "fe80::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("2001:db8::7:54321", "2001:db8::7"),
        ("2001:db8:0:0:0:0:0:7:443", "2001:db8::7"),
        ("::1", "::1"),
        ("::", "::"),
    ],
)
def test_brackets_ports_and_zones_are_left_out(text: str, expected: str):
    assert addresses.normal(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", None, "unknown", "_hidden", "198.51.100", "198.51.100.7:", "198.51.100.7:http", "198.51.100.7.", "1.2.3.4, 5.6.7.8",
     "[198.51.100.7", "[]", "[]:80", "198.51.100.256", "１９８.51.100.7", "2001:db8::7::", "198.51.100.0/24", "localhost",
     "1:" * 40_000, "\0"],
)  # fmt: skip
def test_what_is_no_address_has_no_form(text: str | None):
    assert addresses.normal(text) is None


def test_a_range_has_one_form_too():
    for text in ("198.51.100.0/24", "::ffff:198.51.100.0/120", "64:ff9b::198.51.100.0/120", " 198.51.100.7/24"):
        assert str(addresses.network(text)) == "198.51.100.0/24"
    assert str(addresses.network("[::ffff:198.51.100.7]:4711")) == "198.51.100.7/32"
    assert str(addresses.network("[2001:db8::7]")) == "2001:db8::7/128"
    assert str(addresses.network("::/64")) == "::/64"
    for text in ("", "198.51.100", "198.51.100.0/33", "2001:db8::/x"):
        with pytest.raises(ValueError):
            addresses.network(text)


@pytest.fixture
def limited(make_app) -> Cast:
    return make_cast(*make_app("sqlite", RATE_LIMITS=True))


def tries(app: Flask, addresses: list[str]) -> list[int]:
    return [
        sign_in(app, f"user{n}@example.org", "letmein", address=each)[1].status_code for n, each in enumerate(addresses)
    ]


@pytest.mark.parametrize("form", ["::ffff:198.51.{}.7", "198.51.{}.7:4711", "[::ffff:198.51.{}.7]:4711"])
def test_networks_are_counted_apart_however_they_are_written(limited: Cast, form: str):
    assert tries(limited.app, [form.format(n) for n in range(26)]) == [422] * 26


def test_one_network_is_counted_as_one_however_it_is_written(limited: Cast):
    assert tries(limited.app, [(SPELLINGS * 2)[n] for n in range(26)]) == [422] * 20 + [429] * 6


def test_a_whole_site_of_ipv6_may_try_four_times_as_often(limited: Cast):
    within = [f"2001:db8:1:{n:x}::7" for n in range(82)]
    assert tries(limited.app, within) == [422] * 80 + [429] * 2
    assert tries(limited.app, ["2001:db8:2::7"]) == [422]


def test_what_is_kept_of_an_address_is_its_normal_form(cast: Cast):
    client, answer = sign_in(
        cast.app, "bob@example.org", "a quiet lamp over the bay", address="[::ffff:198.51.100.7]:4711"
    )
    assert answer.status_code == 303
    assert "· 198.51.100.7\n" in client.get("/devices").get_data(as_text=True).replace("</p>", "\n")
