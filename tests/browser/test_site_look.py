"""What an administrator makes of the site, and that they find a way back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.browser.payloads import PAYLOADS
from tests.conftest import Town, populate
from tests.people import Person
from tests.services import Site

VIOLET = "rgb(122, 60, 194)"


@pytest.fixture
def town(site: Site) -> Town:
    """A site of its own: the look is everybody's."""
    return populate(site)


SETTLED_GROUND = """async (each) => {
    await Promise.allSettled(each.getAnimations().map((one) => one.finished));
    return getComputedStyle(each).backgroundColor;
}"""


def ground(page: Page, selector: str) -> str:
    """The colour behind it, as soon as no transition is on its way to it."""
    return str(page.locator(selector).first.evaluate(SETTLED_GROUND))


def write(page: Page, **fields: str) -> None:
    """Fill in the form and press its button."""
    for name, value in fields.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Preview", exact=True).click()


def test_a_bystander_sees_another_name_and_accent_after_a_reload(town: Town, windows: Windows):
    bystander = windows.open(town.bob, f"/rooms/{town.room}", color_scheme="light")
    admin = windows.open(town.alice, "/moderation/look", color_scheme="light")
    shipped = ground(admin, ".button--filled")
    write(admin, name="Skerry Light", accent="#7a3cc2", css=".brand__name { font-style: italic; }")
    expect(admin.get_by_role("heading", name="Preview")).to_be_visible()
    assert ground(admin, ".button--filled") == VIOLET
    bystander.reload()
    expect(bystander.locator(".brand__name")).to_have_text("Confab")
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    bystander.reload()
    expect(bystander.locator(".brand__name")).to_have_text("Skerry Light")
    expect(bystander).to_have_title("lamp-room · Skerry Light")
    assert bystander.evaluate("getComputedStyle(document.querySelector('.brand__name')).fontStyle") == "italic"
    assert ground(bystander, ".composer__send") == VIOLET != shipped


def test_styles_that_break_every_page_are_mended_in_safe_mode(town: Town, windows: Windows):
    admin = windows.open(town.alice, "/moderation/look")
    write(admin, css="body { display: none !important; }")
    admin.wait_for_url("**/preview")
    expect(admin.get_by_role("button", name="Save")).to_be_hidden()
    admin.locator("form[action='/moderation/look']").evaluate("(form) => form.submit()")
    admin.wait_for_url("**/moderation/look?saved=1")
    admin.goto(town.site.url + "/rooms")
    expect(admin.get_by_role("heading", name="Find rooms and people")).to_be_hidden()
    admin.goto(town.site.url + "/-/safe-mode")
    admin.get_by_role("button", name="Turn safe mode on").click()
    expect(admin.get_by_role("heading", name="Look")).to_be_visible()
    admin.goto(town.site.url + "/rooms")
    expect(admin.get_by_role("heading", name="Find rooms and people")).to_be_visible()
    admin.goto(town.site.url + "/moderation/look")
    admin.get_by_role("button", name="Preview without any of it").click()
    admin.get_by_role("button", name="Save").click()
    admin.get_by_role("button", name="Leave safe mode").click()
    expect(admin.get_by_role("heading", name="Look")).to_be_visible()
    expect(admin.get_by_role("button", name="Leave safe mode")).to_have_count(0)


def test_it_works_without_a_script(town: Town, windows: Windows):
    admin = windows.open(town.alice, "/moderation/look", java_script_enabled=False)
    write(admin, name="Skerry Light", accent="#ffcc00")
    expect(admin.get_by_text("cannot be read everywhere")).to_be_visible()
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_text("Saved.")).to_be_visible()


def test_every_pair_of_the_accent_is_on_the_page_as_it_was_counted(town: Town, windows: Windows):
    """The browser makes the same colours of the tokens as the page that counted them."""
    admin = windows.open(town.alice, "/moderation/look", color_scheme="dark")
    write(admin, accent="#7a3cc2")
    expect(admin.get_by_role("heading", name="Preview")).to_be_visible()
    said = admin.get_by_text("in the dark one").inner_text().split("#")[2][:6]
    wanted = tuple(int(said[place : place + 2], 16) for place in (0, 2, 4))
    assert ground(admin, ".button--filled") == f"rgb{wanted}"


@pytest.mark.parametrize("start", range(4))
def test_a_name_is_text_wherever_it_is_shown(town: Town, windows: Windows, start: int):
    """A sample of the attacks as the name of the site: on its own pages, to a bystander, and before signing in."""
    admin: Person = town.alice
    context = windows.context(town.bob)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for payload in PAYLOADS[start * 9 :: 36]:
        name = " ".join(f"x {payload}".split())[:64]
        assert admin.post("/moderation/look/draft", name=name).status_code == 303
        preview = admin.page("/moderation/look/preview")
        assert "attacked=" not in str(preview.find_all("script"))
        seen = preview.select_one("[name=seen]")["value"]
        assert admin.post("/moderation/look", seen=seen).status_code == 303
        page.goto(f"{town.site.url}/rooms/{town.room}")
        assert page.evaluate("window.attacked") is None
        assert page.locator(".brand__name > *").count() == 0
        assert page.locator("title > *").count() == 0
    assert not [url for url in asked if not url.startswith((town.site.url, "blob:", "data:"))]
