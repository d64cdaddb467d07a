"""Who gets a place, who waits, and who gives way: counted, without a socket and without a clock."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from chat.server import places
from chat.server.places import (
    MAX_FROM_NETWORK,
    MAX_FROM_ONE,
    MAX_HANDLERS,
    MAX_WAITING_FROM_NETWORK,
    NOBODY,
    Holder,
    Places,
    holder,
)


@dataclass(eq=False)
class Client:
    """A connection: busy with its client since the beginning of time unless said otherwise."""

    holder: Holder
    waiting: bool = False
    since: float | None = 0.0
    begun: bool = False
    ended: bool = False

    def end(self) -> None:
        self.ended, self.since = True, None


@dataclass
class House:
    """Places, and connections that come to them."""

    places: Places = field(default_factory=Places)

    def come(self, address: str, **more) -> Client:
        client = Client(holder(address), **more)

        def begin() -> None:
            client.begun = True
            self.places.handlers[client] = None

        client.refused = not self.places.enter(client.holder, begin)
        return client

    def go(self, client: Client) -> None:
        del self.places.handlers[client]
        self.places.leave(client.holder)


@pytest.fixture
def house() -> House:
    return House()


def now(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(places.time, "monotonic", lambda: seconds)


def test_one_address_waits_for_its_own(house: House, monkeypatch: pytest.MonkeyPatch):
    now(monkeypatch, 5)
    first = [house.come("198.51.100.7") for _ in range(MAX_FROM_ONE)]
    late = house.come("198.51.100.7")
    other = house.come("198.51.100.8")
    assert all(each.begun for each in first)
    assert not late.begun
    assert other.begun, "others of its network are not kept waiting"
    assert not any(each.ended for each in first), "nobody has been slow for long"
    house.go(first[0])
    assert late.begun


def test_whoever_was_slow_for_long_gives_way_to_its_own(house: House, monkeypatch: pytest.MonkeyPatch):
    now(monkeypatch, 11)
    first = [house.come("198.51.100.7", since=float(n)) for n in range(MAX_FROM_ONE)]
    other = house.come("203.0.113.1")
    house.come("198.51.100.7")
    assert first[0].ended
    assert sum(each.ended for each in first) == 1
    assert not other.ended


def test_what_waits_for_a_next_request_gives_way_first(house: House, monkeypatch: pytest.MonkeyPatch):
    now(monkeypatch, 11)
    first = [house.come("198.51.100.7") for _ in range(MAX_FROM_ONE - 1)]
    idle = house.come("198.51.100.7", waiting=True, since=10.9)
    house.come("198.51.100.7")
    assert idle.ended
    assert not any(each.ended for each in first)


def test_what_we_work_on_ourselves_is_not_ended(house: House, monkeypatch: pytest.MonkeyPatch):
    now(monkeypatch, 1000)
    first = [house.come("198.51.100.7", since=None) for _ in range(MAX_FROM_ONE)]
    house.come("198.51.100.7")
    house.places.relieve()
    assert not any(each.ended for each in first)


@pytest.mark.parametrize("form", ["198.51.100.{}", "::ffff:198.51.100.{}", "2001:db8:1:1::{}"])
def test_a_network_has_a_share_of_its_own(house: House, form: str):
    came = [house.come(form.format(1 + number % 250)) for number in range(MAX_FROM_NETWORK + 10)]
    assert sum(each.begun for each in came) == MAX_FROM_NETWORK
    assert house.come("203.0.113.1").begun
    assert house.come("2001:db8:1:2::1").begun


def test_one_address_in_two_spellings_is_one(house: House):
    came = [house.come(("198.51.100.7", "::ffff:198.51.100.7")[number % 2]) for number in range(MAX_FROM_ONE + 2)]
    assert sum(each.begun for each in came) == MAX_FROM_ONE


def full(house: House, **more) -> list[Client]:
    return [
        house.come(f"10.0.{number // MAX_FROM_NETWORK}.{1 + number % MAX_FROM_NETWORK}", **more)
        for number in range(MAX_HANDLERS)
    ]


def test_whoever_comes_from_elsewhere_gets_in_when_all_is_full(house: House, monkeypatch: pytest.MonkeyPatch):
    now(monkeypatch, 0.01)
    came = full(house)
    assert all(each.begun for each in came)
    late = house.come("203.0.113.1")
    assert not late.begun
    (victim,) = [each for each in came if each.ended]
    more = house.come("10.0.0.99")
    house.go(victim)
    assert late.begun
    assert not more.begun, "a network that holds many comes after one that holds none"


def test_many_networks_with_little_each_have_a_second(house: House, monkeypatch: pytest.MonkeyPatch):
    came = [house.come(f"10.{number // 250}.{number % 250}.1") for number in range(MAX_HANDLERS)]
    now(monkeypatch, 0.5)
    house.come("203.0.113.1")
    assert not any(each.ended for each in came)
    now(monkeypatch, 1.5)
    house.places.relieve()
    assert sum(each.ended for each in came) == 1


def test_idle_ones_of_all_make_room_when_all_is_full(house: House, monkeypatch: pytest.MonkeyPatch):
    now(monkeypatch, 5)
    came = full(house)
    came[500].waiting = True
    late = house.come("203.0.113.1")
    assert [each for each in came if each.ended] == [came[500]]
    house.go(came[500])
    assert late.begun


def test_there_is_an_end_to_waiting(house: House):
    most = MAX_FROM_ONE + MAX_WAITING_FROM_NETWORK
    came = [house.come("198.51.100.7", since=None) for _ in range(most + 5)]
    assert sum(each.refused for each in came) == 5
    assert house.come("203.0.113.1").begun


def test_behind_a_proxy_the_proxy_is_nobody(house: House):
    came = [Client(NOBODY) for _ in range(MAX_HANDLERS)]
    for client in came:
        assert house.places.enter(NOBODY, lambda client=client: setattr(client, "begun", True))
    assert all(each.begun for each in came)


def test_everything_counted_is_given_back(house: House):
    came = full(house, since=None)
    waiting = [house.come("203.0.113.1") for _ in range(3)]
    for each in (*came, *waiting):
        assert each.begun
        house.go(each)
    assert (house.places.serving, house.places.crowded) == (0, False)
    assert not house.places._held
    assert not house.places._waiting
