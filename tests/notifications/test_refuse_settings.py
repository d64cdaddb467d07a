"""Settings of outside services that could not work are refused at the start, in one line that says what to do."""

from pathlib import Path

import pytest

from config import ConfigError, load
from tests.emulators.running import settings

URL = "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"CLOUDINARY_URL": "https://api.cloudinary.com"}, "cloudinary://key:secret@cloud"),
        ({"CLOUDINARY_URL": "cloudinary://key@cloud"}, "cloudinary://key:secret@cloud"),
        ({"CLOUDINARY_URL": "cloudinary://key:secret@cloud/cdn.example.org"}, "with nothing after it"),
        ({"CLOUDINARY_AUTH_KEY": "not a key"}, "hexadecimal"),
        ({"CLOUDINARY_AUTH_KEY": "abc"}, "hexadecimal"),
        ({"MAIL_FROM": ""}, "a domain that you have shown to be yours"),
        ({"MAIL_FROM": "Skerry\r\nBcc: eve@example.org <hi@skerry.example>"}, "line break"),
    ],
)
def test_it_says_what_to_change(tmp_path: Path, changed: dict[str, str], reason: str):
    with pytest.raises(ConfigError, match=reason):
        load({"INSTANCE_PATH": str(tmp_path)} | settings(URL) | changed)


def test_it_takes_what_the_emulators_print(tmp_path: Path):
    config = load({"INSTANCE_PATH": str(tmp_path), "CLOUDINARY_AUTH_KEY": "00ffAA"} | settings(URL))
    assert (config.CLOUDINARY_UPLOAD_PREFIX, config.RESEND_API_URL) == (URL, URL)
