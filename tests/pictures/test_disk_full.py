"""A disk that takes no more: the answer is a sentence, nothing half stored is left, and it works again by itself.

The kernel plays the full disk: beyond a limit of this process every write to a file fails, in the process for pictures too.
"""

import errno
import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from chat.core import jobs
from chat.core.database import db
from chat.pictures import storage
from chat.pictures.models import Picture
from tests.conftest import Cast
from tests.pictures.samples import encoded, photograph, png, send

#: Bytes: less than what is sent.
SMALL = 60_000


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A file that grows when it is made better than it is."""
    data = encoded(photograph(1600, 1200), "JPEG", quality=8)
    assert SMALL < len(data) < 400_000
    return data


@pytest.mark.parametrize("more", [-1000, 1000], ids=["as it comes", "as it is worked on"])
def test_it_says_so_when_the_file_does_not_fit(cast: Cast, photo: bytes, more: int, tmp_path: Path):
    with files_up_to(len(photo) + more):
        response = send(cast.alice, cast.room, photo)
    assert (response.status_code, "the disk does not take it" in response.text) == (503, True), response.text
    assert response.headers["Retry-After"] == "60"
    _expect_nothing(cast, tmp_path)
    assert send(cast.alice, cast.room, photo).status_code == 201


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # Werkzeug leaves its file to be collected
def test_it_says_so_when_the_request_does_not_fit(cast: Cast, tmp_path: Path):
    data = png() + bytes(900_000)
    with files_up_to(SMALL):
        response = send(cast.alice, cast.room, data)
    assert (response.status_code, "our disk is full" in response.text) == (503, True), response.text
    _expect_nothing(cast, tmp_path)
    gc.collect()
    assert send(cast.alice, cast.room, data).status_code == 201


def test_it_leaves_nothing_half_stored(cast: Cast, photo: bytes, monkeypatch, tmp_path: Path):
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", full)
    assert send(cast.alice, cast.room, photo).status_code == 503
    monkeypatch.undo()
    _expect_nothing(cast, tmp_path)
    assert send(cast.alice, cast.room, photo).status_code == 201


def test_it_keeps_the_text(cast: Cast, photo: bytes):
    body = (
        b'--part\r\nContent-Disposition: form-data; name="body"\r\n\r\nthe caption\r\n--part\r\n'
        b'Content-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n%s\r\n--part--\r\n' % photo
    )
    with files_up_to(SMALL):
        response = cast.alice.client.post(
            f"/rooms/{cast.room}/messages",
            data=body,
            content_type="multipart/form-data; boundary=part",
            headers={"X-CSRFToken": cast.alice.token},
        )
    assert response.status_code == 503
    assert "the disk does not take it" in response.text
    assert "the caption" in response.text


def _expect_nothing(cast: Cast, folder: Path) -> None:
    with cast.app.app_context():
        jobs.run_due("destroy_picture")
        assert db.session.execute(select(Picture.id)).all() == []
    assert [path for path in folder.glob("pictures/**/*") if path.is_file()] == []
