"""A picture looks as the browser's own decoder shows the file: every odd one is shown by both and compared."""

import base64
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from chat.pictures import process
from tests.pictures.odd_files import MOVING, STILL

#: Shows a file as an <img> does, and its frames as they follow one another.
SHOW = """async ([data, type]) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const pixels = (image, width, height) => {
        const context = new OffscreenCanvas(width, height).getContext("2d");
        context.drawImage(image, 0, 0);
        return { size: [width, height], data: Array.from(context.getImageData(0, 0, width, height).data) };
    };
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([bytes], { type }));
    await image.decode();
    const still = pixels(image, image.naturalWidth, image.naturalHeight);
    const decoder = new ImageDecoder({ data: bytes, type });
    const frames = [];
    try {
        await decoder.completed;
        const track = decoder.tracks.selectedTrack;
        for (let frameIndex = 0; track.animated && frameIndex < Math.min(8, track.frameCount); frameIndex++) {
            const { image: frame } = await decoder.decode({ frameIndex });
            const ms = frame.duration / 1000;
            frames.push({ ms: ms > 10 ? ms : 100, ...pixels(frame, frame.displayWidth, frame.displayHeight) });
        }
        return { still, frames, count: track.frameCount, again: String(track.repetitionCount) };
    } catch {
        return { still, frames, count: 1, again: "0" };  // a file that <img> alone is lenient with
    }
}"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Any:
    context = chromium.new_context()
    context.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page = context.new_page()
    page.goto("https://chat.example/")  # decoders are for secure contexts
    yield page
    context.close()


def _both(page: Page, data: bytes, tmp_path: Path) -> tuple[Any, Any]:
    kind = {b"\x89P": "image/png", b"\xff\xd8": "image/jpeg", b"GI": "image/gif", b"RI": "image/webp"}[data[:2]]
    source, full, thumb = (str(tmp_path / name) for name in ("raw", "full", "thumb"))
    Path(source).write_bytes(data)
    process.process(source, full, thumb)
    shown, ours = (
        page.evaluate(SHOW, [base64.b64encode(each).decode(), type])
        for each, type in ((data, kind), (Path(full).read_bytes(), "image/webp"))
    )
    return shown, ours


def _difference(one: Any, other: Any) -> float:
    """Return how far two pictures are apart, of 255, on average over their pixels; see-through ones have no colour."""
    assert one["size"] == other["size"]
    total = 0
    for n in range(0, len(one["data"]), 4):
        (*a, alpha), (*b, beta) = one["data"][n : n + 4], other["data"][n : n + 4]
        total += max(abs(alpha - beta), *(abs(x * alpha - y * beta) // 255 for x, y in zip(a, b, strict=True)))
    return total / (len(one["data"]) / 4)


def _at(frames: list[Any], ms: float) -> Any:
    for frame in frames:
        if ms < frame["ms"]:
            return frame
        ms -= frame["ms"]
    return frames[-1]


@pytest.mark.parametrize("kind", STILL)
def test_a_still_picture(page: Page, tmp_path: Path, kind: str):
    shown, ours = _both(page, STILL[kind], tmp_path)
    assert _difference(shown["still"], ours["still"]) < 5


@pytest.mark.parametrize("kind", MOVING)
def test_what_moves(page: Page, tmp_path: Path, kind: str):
    shown, ours = _both(page, MOVING[kind], tmp_path)
    if shown["count"] == 1:
        assert _difference(shown["still"], ours["still"]) < 5
        return
    assert ours["again"] == shown["again"]
    moment = 1.0
    for frame in shown["frames"]:
        assert _difference(frame, _at(ours["frames"], moment)) < 5
        moment += frame["ms"]
    if shown["count"] <= 8:
        total = sum(frame["ms"] for frame in ours["frames"])
        assert total == sum(frame["ms"] for frame in shown["frames"])


@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_without_its_last_bytes_is_whole(page: Page, tmp_path: Path, missing: int):
    """Nothing that can be seen is missing; Chromium leaves out the last row of blocks."""
    data = STILL["jpeg: progressive"]
    shown, ours = _both(page, data, tmp_path)
    _, cut = _both(page, data[:-missing], tmp_path)
    assert cut == ours
    assert shown["still"]["size"] == cut["still"]["size"]
