"""Every setting, read once from the environment (or ``.env``) and checked before anything starts.

A setting that would make the installation unsafe or lose messages is refused here, with one line that says
what to change. ``docs/configuration.md`` lists the same names; a test holds the two together.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class ConfigError(Exception):
    """A setting that cannot be used; the text is one line for the operator."""


def _switch(text: str) -> bool:
    if text.lower() in {"1", "on", "true", "yes"}:
        return True
    if text.lower() in {"", "0", "off", "false", "no"}:
        return False
    raise ValueError("expected on or off")


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("expected a number that is not negative")
    return number


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}")
        return text

    return parse


def _setting(default: Any, parse: Callable[[str], Any] = str) -> Any:
    return field(default=default, metadata={"parse": parse})


@dataclass(frozen=True)
class Config:
    """The settings of one process. ``load`` reads and checks them; tests may build one directly."""

    #: Address to listen on.
    HOST: str = _setting("127.0.0.1")
    #: Port to listen on.
    PORT: int = _setting(8000, _count)
    #: Processes. More than one needs REDIS_URL.
    WORKERS: int = _setting(1, _count)
    #: The public address, without a slash at the end; used in e-mails and for origin checks. Empty: from HOST and PORT.
    BASE_URL: str = _setting("", lambda text: text.rstrip("/"))
    #: Signs tickets, tokens and what processes tell each other. 32 characters or more. Empty: made and kept in INSTANCE_PATH.
    SECRET_KEY: str = _setting("")
    #: Folder of the database file, uploads, outbox and generated key.
    INSTANCE_PATH: str = _setting("instance")
    #: ``postgresql://…``, ``postgres://…`` or ``sqlite:///…``. Empty: SQLite in INSTANCE_PATH.
    DATABASE_URL: str = _setting("")
    #: ``full`` or ``normal``. With ``normal`` a power cut may take messages that were already acknowledged.
    SQLITE_SYNCHRONOUS: str = _setting("full", _choice("full", "normal"))
    #: ``redis://…`` or ``rediss://…``. Empty: the in-process broker, for one process.
    REDIS_URL: str = _setting("")
    #: ``cloudinary://key:secret@cloud``. Empty: pictures on disk in INSTANCE_PATH.
    CLOUDINARY_URL: str = _setting("")
    #: Where Cloudinary's API is. Empty: the SDK's own address.
    CLOUDINARY_UPLOAD_PREFIX: str = _setting("", lambda text: text.rstrip("/"))
    #: Cloudinary's token key (a paid option). With it picture addresses end after 10 minutes; without, they are signed only.
    CLOUDINARY_AUTH_KEY: str = _setting("")
    #: Key for sending e-mail by Resend. Empty: e-mail is written to INSTANCE_PATH/outbox.
    RESEND_API_KEY: str = _setting("")
    #: Where Resend's API is. Empty: the SDK's own address.
    RESEND_API_URL: str = _setting("", lambda text: text.rstrip("/"))
    #: The sender of e-mail. Needed with RESEND_API_KEY, which sends from domains that are known to be yours.
    MAIL_FROM: str = _setting("Confab <confab@localhost>")
    #: The name people see in the side list, in titles and in e-mail.
    SITE_NAME: str = _setting("Confab")
    #: ``open``: anybody may sign up. ``invite``: with an invitation. ``closed``: nobody.
    REGISTRATION: str = _setting("open", _choice("open", "invite", "closed"))
    #: ``off`` for benches only; refused when not on loopback.
    RATE_LIMITS: bool = _setting(True, _switch)
    #: Wrong passwords in a minute, over all accounts, that raise the alarm and slow unknown browsers down.
    SIGN_IN_ALARM: int = _setting(30, _count)
    #: Days for which security events are kept: sign-ins with their networks, and refusals.
    SECURITY_EVENTS_DAYS: int = _setting(90, _count)
    #: File to which the end of the audit log is appended after every row. Empty: ``audit-anchors.log`` in INSTANCE_PATH.
    AUDIT_ANCHORS: str = _setting("")
    #: Folder with ``templates/`` and ``static/`` that override ours.
    THEME_DIR: str = _setting("")
    #: How many proxies in front of us may be believed about the client's address.
    TRUSTED_PROXIES: int = _setting(0, _count)
    #: ``on`` lets browsers use plain http off loopback: passwords and messages then cross the network unprotected.
    ALLOW_PLAIN_HTTP: bool = _setting(False, _switch)
    #: Opens /metrics to who sends it as a bearer token. Empty: to this machine, where it serves nobody else.
    METRICS_TOKEN: str = _setting("")
    #: ``off`` leaves e-mail and other jobs to ``flask worker``.
    JOBS: bool = _setting(True, _switch)

    @property
    def instance(self) -> Path:
        """INSTANCE_PATH as an absolute path; a relative one starts at the project's folder."""
        return ROOT / self.INSTANCE_PATH

    @property
    def database_uri(self) -> str:
        """DATABASE_URL as SQLAlchemy wants it: PostgreSQL through psycopg 3, SQLite by absolute path."""
        scheme, _, rest = self.DATABASE_URL.partition("://")
        if scheme in {"postgres", "postgresql"}:
            return f"postgresql+psycopg://{rest}"
        return self.DATABASE_URL or f"sqlite:///{self.instance / 'confab.sqlite3'}"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach us."""
        return self.HOST in LOOPBACK

    @property
    def public_url(self) -> str:
        """BASE_URL, or the address made from HOST and PORT."""
        return self.BASE_URL or f"http://{self.HOST}:{self.PORT}"

    @property
    def https(self) -> bool:
        """Whether people reach us over https; decides ``Secure`` and the prefix of our cookies."""
        return self.public_url.startswith("https://")

    def check(self) -> None:
        """Refuse what is unsafe or cannot work.

        :raises ConfigError: with the setting, what is wrong with it, and what to do.
        """
        for name in ("BASE_URL", "DATABASE_URL", "REDIS_URL"):
            try:
                _ = urlsplit(getattr(self, name)).port
            except ValueError:
                raise ConfigError(f"{name} has a port that is no number from 0 to 65535.") from None
        if not 1 <= self.PORT <= 65535:
            raise ConfigError(f"PORT is {self.PORT}; give a number from 1 to 65535.")
        if ":" in self.HOST:
            raise ConfigError(f"HOST is {self.HOST}; give a name or an IPv4 address. IPv6 is for the proxy in front.")
        public = urlsplit(self.public_url)
        if public.scheme not in {"http", "https"} or not public.hostname or public.path or public.query:
            raise ConfigError(f"BASE_URL is {self.BASE_URL!r}; give it as https://chat.example.org, without a path.")
        if public.hostname in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            raise ConfigError(
                f"HOST is {self.HOST}, which is every address and no name: set BASE_URL to what people type."
            )
        if not self.https and public.hostname not in LOOPBACK and not self.ALLOW_PLAIN_HTTP:
            raise ConfigError(
                f"People would reach {self.public_url} over plain http, which shows passwords to the network. "
                "Put a proxy with https in front and set BASE_URL=https://…, or set ALLOW_PLAIN_HTTP=on."
            )
        if len(self.SECRET_KEY) < 32:
            raise ConfigError(
                f"SECRET_KEY has {len(self.SECRET_KEY)} characters and needs 32 or more. "
                'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        if len(set(self.SECRET_KEY)) < 8:
            raise ConfigError("SECRET_KEY repeats a few characters; use random ones.")
        if self.WORKERS < 1:
            raise ConfigError("WORKERS is 0; at least one process has to do the work.")
        if self.WORKERS > 1 and not self.REDIS_URL:
            raise ConfigError(
                f"WORKERS is {self.WORKERS}, but several processes talk through Redis: set REDIS_URL, or WORKERS=1."
            )
        if self.REDIS_URL:
            redis = urlsplit(self.REDIS_URL)
            if redis.scheme not in {"redis", "rediss"} or not redis.hostname:
                raise ConfigError("REDIS_URL must look like redis://:password@host:6379/0.")
            if redis.hostname not in LOOPBACK and not redis.password:
                raise ConfigError(
                    f"REDIS_URL names {redis.hostname} without a password; Redis off this machine needs one."
                )
        scheme = self.database_uri.partition("://")[0]
        if scheme not in {"sqlite", "postgresql+psycopg"}:
            raise ConfigError(f"DATABASE_URL begins with {scheme}://; it may be postgresql://… or sqlite:///….")
        if self.CLOUDINARY_URL:
            account = urlsplit(self.CLOUDINARY_URL)
            known = account.scheme == "cloudinary" and account.username and account.password and account.hostname
            if not known or account.path or account.query:
                raise ConfigError("CLOUDINARY_URL must look like cloudinary://key:secret@cloud, with nothing after it.")
        if not re.fullmatch("([0-9a-f]{2})*", self.CLOUDINARY_AUTH_KEY, re.IGNORECASE):
            raise ConfigError("CLOUDINARY_AUTH_KEY is not a key: those are written in hexadecimal, two digits a byte.")
        if self.RESEND_API_KEY and self.MAIL_FROM == Config.MAIL_FROM:
            raise ConfigError(
                "RESEND_API_KEY is set without MAIL_FROM: Resend sends from a domain that you have shown to be yours. "
                'Set MAIL_FROM="Confab <confab@example.org>" with such a domain.'
            )
        if not self.RATE_LIMITS and not self.on_loopback:
            raise ConfigError(f"RATE_LIMITS is off while HOST is {self.HOST}; that is for benches on loopback only.")
        if self.SIGN_IN_ALARM < 1:
            raise ConfigError("SIGN_IN_ALARM is 0; give the wrong passwords in a minute that are too many, 1 or more.")
        if not 1 <= self.SECURITY_EVENTS_DAYS <= 3650:
            raise ConfigError(f"SECURITY_EVENTS_DAYS is {self.SECURITY_EVENTS_DAYS}; give a number from 1 to 3650.")
        if self.METRICS_TOKEN and len(self.METRICS_TOKEN) < 16:
            raise ConfigError(f"METRICS_TOKEN has {len(self.METRICS_TOKEN)} characters; give it 16 or more.")
        if self.THEME_DIR and not Path(self.THEME_DIR).is_dir():
            raise ConfigError(f"THEME_DIR is {self.THEME_DIR}, which is not a folder.")
        if "\n" in self.MAIL_FROM or "\r" in self.MAIL_FROM:
            raise ConfigError("MAIL_FROM holds a line break.")

    def for_flask(self) -> dict[str, Any]:
        """Return the mapping for ``app.config``: our settings and what they mean to the extensions."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return own | {
            "SETTINGS": self,
            "SQLALCHEMY_DATABASE_URI": self.database_uri,
            "MAX_CONTENT_LENGTH": 256 * 1024,
            "MAX_FORM_MEMORY_SIZE": 512 * 1024,
            "MAX_FORM_PARTS": 64,
            "TRUSTED_HOSTS": self.trusted_hosts(),
            "PREFERRED_URL_SCHEME": "https" if self.https else "http",
        }

    def trusted_hosts(self) -> list[str]:
        """Host names we answer to: our public name, and loopback for checks on the machine itself."""
        return sorted({urlsplit(self.public_url).hostname or "localhost", *LOOPBACK - {"::1"}, "[::1]"})


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings from ``.env`` and the environment (which wins), make a key where allowed, and check.

    :raises ConfigError: a setting cannot be used, or the instance folder cannot be written.
    """
    if environ is None:
        stored = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value is not None}
        environ = stored | dict(os.environ)
    given: dict[str, Any] = {}
    for each in fields(Config):
        text = environ.get(each.name, "").strip()
        if not text:
            continue
        try:
            given[each.name] = each.metadata["parse"](text)
        except ValueError as problem:
            raise ConfigError(f"{each.name} is {text!r}: {problem}.") from None
    config = Config(**given)
    _make_writable(config.instance)
    if not config.SECRET_KEY:
        if not config.on_loopback:
            raise ConfigError(
                f"SECRET_KEY is not set while HOST is {config.HOST}. "
                'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        config = Config(**given | {"SECRET_KEY": _kept_key(config.instance / "secret_key")})
    config.check()
    return config


def _make_writable(folder: Path) -> None:
    os.umask(0o077)  # the files that this process writes are for nobody else to read
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".write-{secrets.token_hex(8)}"  # containers that share it have the same process ids
        probe.touch()
        probe.unlink()
        _close_to_others(folder)
    except OSError as problem:
        raise ConfigError(
            f"The instance folder {folder} cannot be written ({problem.strerror}). "
            "Give this user the right to write there, or name another one in INSTANCE_PATH."
        ) from None


def _close_to_others(folder: Path) -> None:
    """Close files in the folder to other users of the machine: earlier versions wrote some that everybody could read."""
    names = (
        "confab.sqlite3",
        "confab.sqlite3-wal",
        "confab.sqlite3-shm",
        "secret_key",
        "outbox",
        "pictures",
        "serving",
    )
    for path in [folder / name for name in names if (folder / name).exists()]:
        mode = path.lstat().st_mode
        if mode & 0o077 and not stat.S_ISLNK(mode):
            try:
                path.chmod(stat.S_IMODE(mode) & ~0o077)
            except OSError:
                log.warning("Other users of this machine may read %s. Take the right away: chmod go= %s", path, path)


def _kept_key(path: Path) -> str:
    """Return the key kept in a file, making it once even when several processes start together."""
    with open(path, "a+", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        key = file.read().strip()
        if not key:
            key = secrets.token_urlsafe(48)
            file.write(key)
    return key
