"""What the log says of what people do: enough to find a fault, and nothing of what they wrote."""

from __future__ import annotations

import re

from tests.conftest import Town
from tests.people import PASSWORD
from tests.services import wait_for


def lines(town: Town) -> list[str]:
    return [line for line in town.site.output().splitlines() if line.startswith("time=")]


def test_a_request_has_a_line_with_its_id_status_and_time(town: Town):
    response = town.alice.get(f"/rooms/{town.room}?around=1")
    name = response.headers["X-Request-Id"]
    # It is written when the answer is out, so a moment after it has come.
    line = wait_for(lambda: next((line for line in lines(town) if f"request={name}" in line), ""), what="the line")
    assert re.search(rf'level=info logger=chat.access request={name} event="GET /rooms/{town.room}"', line)
    assert re.search(r"status=200 ms=[\d.]+$", line)


def test_no_two_requests_have_the_same_id(town: Town):
    found = {town.alice.get("/rooms").headers["X-Request-Id"] for _ in range(5)}
    assert len(found) == 5


def test_words_passwords_and_cookies_stay_out(town: Town):
    town.alice.say(town.room, "a word that nobody else uses: quixotry")
    town.alice.get("/rooms?search=quixotry")
    town.alice.post("/sign-in", email=town.alice.email, password=PASSWORD)
    text = town.site.output()
    assert "POST" in text
    secrets = [cookie.value for cookie in town.alice.http.cookies]
    for word in ("quixotry", PASSWORD, town.alice.email, *secrets):
        assert word not in text
