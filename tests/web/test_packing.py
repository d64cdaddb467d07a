"""Pages are compressed for who takes them so."""

from __future__ import annotations

import gzip

import pytest

from tests.conftest import Cast


@pytest.mark.parametrize("takes", ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.5"])
def test_a_page_is_the_same_compressed(cast: Cast, takes: str):
    packed = cast.bob.get(f"/rooms/{cast.room}", headers={"Accept-Encoding": takes})
    plain = cast.bob.get(f"/rooms/{cast.room}")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "accept-encoding" in {each.lower() for each in packed.vary}
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 3
    page = gzip.decompress(packed.data).decode()
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert len(page) == pytest.approx(len(plain.text), abs=50)


@pytest.mark.parametrize("takes", ["", "br", "gzip;q=0", "gzip;q=0, identity"])
def test_who_does_not_take_it_gets_it_plain(cast: Cast, takes: str):
    page = cast.bob.get(f"/rooms/{cast.room}", headers={"Accept-Encoding": takes})
    assert "Content-Encoding" not in page.headers
    assert page.text.rstrip().endswith("</html>")
