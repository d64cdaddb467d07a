"""Pictures: chosen, pasted or dropped, uploaded while one writes, refused with a reason, looked at."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Windows, connected, says, settled, shows, until
from tests.conftest import Town
from tests.pictures.samples import png

Open = Callable[..., Page]


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[Path]]:
    """Make so many picture files, wider and wider."""

    def make(count: int) -> list[Path]:
        made = []
        for n in range(count):
            made.append(tmp_path / f"picture {n}.png")
            made[-1].write_bytes(png(100 + 50 * n, 80))
        return made

    return make


def give(page: Page, event: str, target: str, *pictures: Path, text: str = "") -> None:
    """Paste or drop files."""
    page.evaluate(
        """([event, target, files, text]) => {
          const data = new DataTransfer();
          for (const [name, base64] of files) {
            const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
            data.items.add(new File([bytes], name, { type: "image/png" }));
          }
          if (text) data.setData("text/plain", text);
          const about = { bubbles: true, cancelable: true };
          const made = event === "paste"
            ? new ClipboardEvent(event, { ...about, clipboardData: data })
            : new DragEvent(event, { ...about, dataTransfer: data });
          document.querySelector(target).dispatchEvent(made);
        }""",
        [event, target, [(each.name, base64.b64encode(each.read_bytes()).decode()) for each in pictures], text],
    )


def choose(page: Page, *pictures: Path) -> None:
    page.locator("input[type=file]").set_input_files(list(pictures))


def widths(page: Page) -> list[int]:
    return page.evaluate(
        "[...document.querySelectorAll('#timeline .picture__image')].map((each) => Number(each.getAttribute('width')))"
    )


def test_it_sends_what_was_chosen_pasted_and_dropped(town: Town, room_of: Open, files: Callable[..., list[Path]]):
    page, pictures = room_of(town.alice), files(4)
    choose(page, *pictures[:2])
    give(page, "paste", "#body", pictures[2])
    give(page, "dragover", ".pane--room", pictures[3])
    expect(page.locator(".pane--room")).to_have_attribute("data-dragging", "")
    give(page, "drop", ".pane--room", pictures[3])
    expect(page.locator(".pane--room")).not_to_have_attribute("data-dragging", "")
    expect(page.locator(".tile[data-state=done]")).to_have_count(4)
    page.locator("#body").fill("four of them")
    page.keyboard.press("Enter")
    settled(page)
    assert says(page) == ["four of them"]
    assert widths(page) == [100, 150, 200, 250]
    expect(page.locator(".tile")).to_have_count(0)


def test_it_pastes_the_text_when_a_program_offers_a_picture_of_it_too(town: Town, room_of: Open, files):
    page = room_of(town.alice)
    give(page, "paste", "#body", *files(1), text="from a text editor")
    expect(page.locator(".tile")).to_have_count(0)


def test_it_lets_one_send_while_pictures_are_on_their_way(town: Town, room_of: Open, files):
    page = room_of(town.alice)
    held: list[Route] = []
    page.route("**/pictures", lambda route: held.append(route))
    choose(page, *files(2))
    page.locator("#body").fill("with pictures")
    page.keyboard.press("Enter")
    page.keyboard.type("after them")
    page.keyboard.press("Enter")
    bubble = page.locator("#outbox .message").first
    expect(bubble.locator(".picture__image")).to_have_count(2)
    expect(bubble.locator(".sending__word")).to_have_text("Uploading 1 of 2")
    expect(page.locator(".tile")).to_have_count(0)
    while not held:
        page.wait_for_timeout(10)
    assert len(held) == 1, "one by one"
    sizes = bubble.locator(".pictures").bounding_box()
    held.pop().continue_()
    expect(bubble.locator(".sending__word")).to_have_text("Uploading 2 of 2")
    while not held:
        page.wait_for_timeout(10)
    held.pop().continue_()
    settled(page)
    assert says(page) == ["with pictures", "after them"]
    shown = page.locator("#timeline .pictures").bounding_box()
    assert sizes is not None
    assert shown is not None
    assert (sizes["width"], sizes["height"]) == (shown["width"], shown["height"]), "it moved"


def test_it_says_why_a_file_is_refused_and_keeps_the_text(town: Town, room_of: Open, windows: Windows, tmp_path: Path):
    windows.allow("422")
    page = room_of(town.alice)
    fake = tmp_path / "not a picture.png"
    fake.write_bytes(b"<svg onload=alert(1)>")
    page.locator("#body").fill("look at this")
    choose(page, fake)
    expect(page.locator(".tile")).to_have_attribute("data-state", "refused")
    expect(page.locator(".composer__error")).to_contain_text("not a picture.png: ")
    page.keyboard.press("Enter")
    expect(page.locator(".composer__error")).to_contain_text("your text is kept")
    expect(page.locator("#body")).to_have_value("look at this")
    page.locator(".tile__remove").click()
    expect(page.locator(".composer__error")).to_have_count(0)
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.press("Enter")
    settled(page)
    assert says(page) == ["look at this"]


def test_it_offers_to_send_without_a_picture_that_is_refused_later(town: Town, room_of: Open, windows: Windows, files):
    windows.allow("422")
    page = room_of(town.alice)
    held: list[Route] = []
    page.route("**/pictures", lambda route: held.append(route))
    choose(page, *files(1))
    page.locator("#body").fill("text and picture")
    page.keyboard.press("Enter")
    while not held:
        page.wait_for_timeout(10)
    held.pop().fulfill(status=422, body='<p class="error" role="alert">The picture is over 10 MB.</p>')
    bubble = page.locator("#outbox .message")
    expect(bubble.get_by_role("alert")).to_have_text("Not sent. The picture is over 10 MB.")
    expect(bubble.get_by_role("button", name="Discard")).to_be_visible()
    expect(bubble.get_by_role("button", name="Try again")).to_be_hidden()
    bubble.get_by_role("button", name="Send without it").click()
    settled(page)
    assert says(page) == ["text and picture"]
    assert widths(page) == []


def test_it_tries_an_upload_again_and_takes_one_back(town: Town, room_of: Open, windows: Windows, files):
    windows.allow("ERR_FAILED")
    page = room_of(town.alice)
    page.route("**/pictures", lambda route: route.abort())
    choose(page, *files(2))
    expect(page.locator(".tile[data-state=refused]")).to_have_count(2)
    page.unroute("**/pictures")
    page.get_by_title("Try again").first.click()
    expect(page.locator(".tile").first).to_have_attribute("data-state", "done")
    with page.expect_request(lambda request: request.url.endswith("/delete")) as asked:
        page.get_by_title("Remove").first.click()
    assert asked.value.response().status == 204
    page.get_by_title("Remove").click()
    expect(page.locator(".tile")).to_have_count(0)


def test_it_says_after_a_reload_that_a_picture_was_lost(town: Town, room_of: Open, files):
    page = room_of(town.alice)
    page.route("**/pictures", lambda route: None)
    page.on("dialog", lambda dialog: dialog.accept())
    choose(page, *files(1))
    page.locator("#body").fill("text stays")
    page.keyboard.press("Enter")
    expect(page.locator("#outbox .message")).to_have_count(1)
    page.unroute("**/pictures")
    page.reload()
    connected(page)
    expect(page.locator("#outbox [role=alert]")).to_contain_text("A picture was not uploaded when the page was left")
    page.get_by_role("button", name="Try again").click()
    settled(page)
    assert says(page) == ["text stays"]


def test_it_shows_pictures_as_large_as_they_fit(town: Town, room_of: Open, files):
    page = room_of(town.alice)
    choose(page, *files(3))
    expect(page.locator(".tile[data-state=done]")).to_have_count(3)
    page.keyboard.press("Enter")
    settled(page)
    link = page.locator("#timeline .picture__link").nth(1)
    link.click()
    viewer = page.locator("dialog.viewer")
    expect(viewer).to_be_visible()
    image = viewer.locator("img")
    expect(image).to_have_attribute("alt", "Picture 2 of 3")
    expect(viewer.locator(".viewer__caption")).to_contain_text("Alice Okafor")
    page.keyboard.press("ArrowRight")
    expect(image).to_have_attribute("alt", "Picture 3 of 3")
    expect(viewer.get_by_title("Next picture")).to_be_hidden()
    expect(viewer.get_by_title("Picture before")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(image).to_have_attribute("alt", "Picture 1 of 3")
    assert image.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 100
    expect(viewer.get_by_role("link", name="Original")).to_have_attribute("href", image.get_attribute("src"))
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(page.locator("#timeline .picture__link").first).to_be_focused()


def test_it_says_of_each_file_why_it_was_refused_and_what_it_is(town: Town, room_of: Open, windows: Windows, tmp_path):
    windows.allow("422")
    letter, large = tmp_path / "letter.pdf", tmp_path / "large.jpg"
    letter.write_bytes(b"%PDF-1.7")
    large.write_bytes(bytes(10 * 1024 * 1024 + 1))
    page = room_of(town.alice)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/pictures") else None)
    choose(page, large, letter)
    problem = page.locator(".composer__error")
    expect(problem).to_contain_text("large.jpg: The picture is over 10 MB.")
    expect(problem).to_contain_text("letter.pdf: ")
    assert len(asked) == 1, "what is too large is not sent to learn that"
    expect(page.locator(".tile").last).to_have_attribute("data-kind", "pdf")
    expect(page.get_by_title("Try again")).to_have_count(2)
    expect(page.get_by_title("Try again").locator("visible=true")).to_have_count(0)
    page.get_by_title("Remove").first.click()
    expect(problem).not_to_contain_text("large.jpg")
    expect(problem).to_contain_text("letter.pdf: ")


def test_a_small_picture_is_not_blown_up_and_a_finger_goes_on(town: Town, windows: Windows, files):
    context = windows.context(town.alice, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    choose(page, *files(2))
    expect(page.locator(".tile[data-state=done]")).to_have_count(2)
    page.get_by_title("Send").tap()
    settled(page)
    page.locator("#timeline .picture__link").first.tap()
    image = page.locator(".viewer__image")
    expect(image).to_have_css("object-fit", "scale-down")
    touch = context.new_cdp_session(page)
    for kind, x in (("touchStart", 300), ("touchMove", 200), ("touchMove", 100), ("touchEnd", 0)):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": 400}] if x else []})
    expect(image).to_have_attribute("alt", "Picture 2 of 2")


def test_it_closes_a_picture_whose_message_is_deleted(town: Town, room_of: Open, files):
    page = room_of(town.alice)
    choose(page, *files(1))
    expect(page.locator(".tile[data-state=done]")).to_have_count(1)
    page.keyboard.press("Enter")
    settled(page)
    page.locator("#timeline .picture__link").click()
    expect(page.locator("dialog.viewer")).to_be_visible()
    message = page.locator("#timeline .message").get_attribute("id")
    town.alice.post(f"/messages/{str(message).removeprefix('message_')}/delete")
    expect(page.locator("dialog.viewer")).to_be_hidden()
    until(page, "document.querySelector('.tombstone') !== null")
    shows(page, "Message deleted by its author")
