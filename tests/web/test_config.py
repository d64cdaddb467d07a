"""Settings: what is unsafe or cannot work is refused at start, in one line that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import ConfigError, load

KEY = "0123456789abcdefghijklmnopqrstuvwxyz"


def loaded(tmp_path: Path, **settings: str):
    return load({"INSTANCE_PATH": str(tmp_path / "instance")} | settings)


def test_it_starts_with_nothing_set(tmp_path: Path):
    config = loaded(tmp_path)
    assert config.public_url == "http://127.0.0.1:8000"
    assert config.database_uri == f"sqlite:///{tmp_path}/instance/confab.sqlite3"
    assert len(config.SECRET_KEY) >= 32
    assert loaded(tmp_path).SECRET_KEY == config.SECRET_KEY, "the key is kept"
    assert (tmp_path / "instance/secret_key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY has 5 characters"),
        ({"SECRET_KEY": "a" * 40}, "SECRET_KEY repeats"),
        ({"HOST": "192.0.2.1", "BASE_URL": "https://chat.example.org"}, "SECRET_KEY is not set"),
        ({"HOST": "192.0.2.1", "SECRET_KEY": KEY}, "plain http"),
        ({"HOST": "0.0.0.0", "SECRET_KEY": KEY, "ALLOW_PLAIN_HTTP": "on"}, "set BASE_URL"),
        ({"BASE_URL": "http://chat.example.org"}, "plain http"),
        ({"BASE_URL": "https://chat.example.org/chat"}, "without a path"),
        ({"BASE_URL": "chat.example.org"}, "without a path"),
        ({"WORKERS": "2"}, "set REDIS_URL"),
        ({"WORKERS": "0"}, "WORKERS is 0"),
        ({"WORKERS": "two"}, "WORKERS is 'two'"),
        ({"PORT": "http"}, "PORT is 'http'"),
        ({"PORT": "-1"}, "not negative"),
        ({"REDIS_URL": "redis://cache.example.org:6379"}, "without a password"),
        ({"REDIS_URL": "memcached://localhost"}, "must look like redis://"),
        ({"DATABASE_URL": "mysql://localhost/x"}, "begins with mysql://"),
        ({"RATE_LIMITS": "off", "HOST": "192.0.2.1", "SECRET_KEY": KEY, "BASE_URL": "https://a.example"}, "on loopback only"),
        ({"RATE_LIMITS": "maybe"}, "expected on or off"),
        ({"REGISTRATION": "sometimes"}, "expected one of open, invite, closed"),
        ({"SQLITE_SYNCHRONOUS": "off"}, "expected one of full, normal"),
        ({"THEME_DIR": "/no/such/folder"}, "not a folder"),
        ({"MAIL_FROM": "a@b.org\nBcc: c@d.org"}, "line break"),
    ],
)  # fmt: skip
def test_it_refuses_what_is_unsafe(tmp_path: Path, settings: dict[str, str], reason: str):
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, **settings)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"DATABASE_URL": "postgres://u:p@db/confab"},
        {"DATABASE_URL": "postgresql://u:p@db/confab"},
        {"HOST": "192.0.2.1", "SECRET_KEY": KEY, "BASE_URL": "https://chat.example.org"},
        {"HOST": "192.0.2.1", "SECRET_KEY": KEY, "ALLOW_PLAIN_HTTP": "on"},
        {"WORKERS": "4", "REDIS_URL": "redis://127.0.0.1:6379/0"},
        {"REDIS_URL": "rediss://:secret@cache.example.org:6379/0"},
    ],
)
def test_it_takes_what_works(tmp_path: Path, settings: dict[str, str]):
    assert loaded(tmp_path, **settings).database_uri.split("://")[0] in {"sqlite", "postgresql+psycopg"}


def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(ConfigError, match="/proc/confab cannot be written"):
        load({"INSTANCE_PATH": "/proc/confab"})
