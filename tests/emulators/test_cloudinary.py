"""The stand-in for Cloudinary refuses what Cloudinary refuses; its SDK gives the second opinion on every signature."""

import hashlib
import time
from collections.abc import Iterator
from io import BytesIO
from urllib.parse import urlsplit

import cloudinary.uploader
import pytest
import requests
from cloudinary import exceptions
from cloudinary.utils import cloudinary_url
from PIL import Image

from tests.emulators.running import CLOUDINARY_AUTH_KEY, CLOUDINARY_URL, Emulators

ACCOUNT = urlsplit(CLOUDINARY_URL)
THUMB = {"width": 200, "height": 200, "crop": "limit", "quality": "auto", "fetch_format": "webp"}


@pytest.fixture
def account(emulators: Emulators) -> dict[str, str]:
    return {
        "cloud_name": ACCOUNT.hostname,
        "api_key": ACCOUNT.username,
        "api_secret": ACCOUNT.password,
        "upload_prefix": emulators.url,
        "type": "authenticated",
    }


@pytest.fixture
def picture() -> Iterator[BytesIO]:
    file = BytesIO()
    Image.new("RGB", (400, 300), (9, 90, 90)).save(file, "WEBP")
    file.seek(0)
    return file


def _address(account: dict[str, str], public_id: str, **options: object) -> str:
    where = {"secure": False, "cname": urlsplit(account["upload_prefix"]).netloc}
    names = {name: account[name] for name in ("cloud_name", "api_secret", "type")}
    return cloudinary_url(public_id, sign_url=True, format="webp", **names, **where, **options)[0]


def test_it_agrees_with_the_sdk_about_signatures(account: dict[str, str], picture: BytesIO, emulators: Emulators):
    strange = "a folder/Größe & co"
    kept = cloudinary.uploader.upload(
        picture, public_id=strange, tags=["one", "two"], context={"alt": "a=b & c"}, overwrite=False, **account
    )
    assert (kept["public_id"], kept["width"], kept["format"]) == (strange, 400, "webp")
    for options in ({}, {"transformation": [THUMB]}):
        for token in ({}, {"auth_token": {"key": CLOUDINARY_AUTH_KEY, "duration": 60}}):
            found = requests.get(_address(account, strange, **options, **token), timeout=5)
            assert found.status_code == 200, found.text
            assert Image.open(BytesIO(found.content)).width == (200 if options else 400)
    assert cloudinary.uploader.rename(strange, "plain", **account)["public_id"] == "plain"
    assert cloudinary.uploader.destroy("plain", invalidate=True, **account)["result"] == "ok"
    assert cloudinary.uploader.destroy("plain", **account)["result"] == "not found"
    assert emulators.assets() == []


def test_it_refuses_a_wrong_key_or_secret(account: dict[str, str], picture: BytesIO):
    for wrong in ({"api_secret": "wrong"}, {"api_key": "1"}, {"cloud_name": "elsewhere"}):
        with pytest.raises(exceptions.AuthorizationRequired):
            cloudinary.uploader.upload(picture, **account | wrong)


def test_it_refuses_what_was_changed_or_sent_late(account: dict[str, str], emulators: Emulators):
    def send(age: int = 0, **more: str) -> tuple[int, str]:
        fields = {"public_id": "x", "timestamp": str(int(time.time()) - age), "type": "authenticated"}
        text = "&".join(f"{name}={value}" for name, value in sorted(fields.items())) + account["api_secret"]
        fields |= {"api_key": account["api_key"], "signature": hashlib.sha1(text.encode()).hexdigest()} | more
        answer = requests.post(f"{emulators.url}/v1_1/{account['cloud_name']}/image/destroy", data=fields, timeout=5)
        return answer.status_code, answer.text

    assert send()[0] == 200
    assert send(public_id="y")[0] == 401
    assert send(invalidate="true")[0] == 401, "a field more is another request"
    assert "String to sign - 'public_id=x&timestamp=" in send(signature="0" * 40)[1]
    assert send(age=3700)[0] == 400
    assert "more than 1 hour ago" in send(age=3700)[1]


def test_it_keeps_what_it_has(account: dict[str, str], picture: BytesIO):
    cloudinary.uploader.upload(picture, public_id="one", **account)
    picture.seek(0)
    assert cloudinary.uploader.upload(picture, public_id="one", overwrite=False, **account)["existing"] is True
    picture.seek(0)
    cloudinary.uploader.upload(picture, public_id="two", **account)
    with pytest.raises(exceptions.AlreadyExists):
        cloudinary.uploader.rename("one", "two", **account)
    with pytest.raises(exceptions.NotFound):
        cloudinary.uploader.rename("three", "four", **account)
    with pytest.raises(exceptions.BadRequest):
        cloudinary.uploader.upload(BytesIO(b"no picture"), **account)


def test_it_delivers_to_signatures_alone(account: dict[str, str], picture: BytesIO):
    cloudinary.uploader.upload(picture, public_id="one", **account)
    for address in (_address(account, "one"), _address(account, "one", transformation=[THUMB])):
        assert requests.get(address, timeout=5).status_code == 200
        signature = address.partition("s--")[2][:8]
        assert requests.get(address.replace(signature, signature.swapcase()), timeout=5).status_code == 401
        assert requests.get(address.replace("one.webp", "two.webp"), timeout=5).status_code == 401
    assert requests.get(_address(account, "two"), timeout=5).status_code == 404
    late = {"key": CLOUDINARY_AUTH_KEY, "expiration": int(time.time()) - 1}
    assert requests.get(_address(account, "one", auth_token=late), timeout=5).status_code == 401
