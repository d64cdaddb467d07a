"""Ending one's other sessions by the pages about devices."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Windows
from tests.conftest import Town


@pytest.mark.parametrize("script", [True, False])
def test_others_are_signed_out_by_a_page_that_names_them(script: bool, town: Town, windows: Windows):
    phone = town.bob.elsewhere()
    page = windows.context(town.bob, java_script_enabled=script).new_page()
    page.goto(f"{town.site.url}/devices")
    page.get_by_role("link", name="Sign out the other").click()
    expect(page.get_by_role("heading", name="Sign out other devices")).to_be_visible()
    expect(page.locator(".line")).not_to_have_count(0)
    assert phone.get("/rooms").status_code == 200
    page.get_by_role("link", name="Go back").click()
    expect(page.get_by_text("This one")).to_be_visible()
    assert phone.get("/rooms").status_code == 200
    page.get_by_role("link", name="Sign out the other").click()
    page.locator("form[action='/devices/end-others'] button").click()
    expect(page.locator(".tag", has_text="This one")).to_be_visible()
    expect(page.get_by_role("link", name="Sign out the other")).to_have_count(0)
    assert phone.get("/rooms").status_code == 303
