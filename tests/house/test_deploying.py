"""The page about deploying, and the files it hands out, held against the code."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from flask.cli import FlaskGroup, ScriptInfo

from app import create_app
from chat import pictures
from chat.core.database import postgresql
from chat.realtime import hub
from chat.server import http, process
from config import Config, load
from tests.conftest import configured
from tests.services import ROOT, SECRET

PAGE = (ROOT / "docs/deploying.md").read_text()
FILES = ROOT / "docs/deploying"
NGINX = (FILES / "nginx.conf").read_text()
UNIT = (FILES / "confab.service").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((FILES / "compose.yaml").read_text())
DOCKERFILE = (FILES / "Dockerfile").read_text()
SETTINGS = {each.name for each in dataclasses.fields(Config)}
#: Blocks of the page by what they begin with, and what stands in code quotes within a sentence.
BLOCKS = re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
QUOTED = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL))


def environments() -> list[dict[str, str]]:
    """Return the blocks that are a file ``.env``."""
    found = [dict(re.findall(r"^([A-Z_]+)=(.*)$", block, re.MULTILINE)) for block in BLOCKS]
    return [each for each in found if "BASE_URL" in each]


def serving() -> dict[str, dict[str, Any]]:
    """Return the services of the compose file that run Confab."""
    return {name: each for name, each in COMPOSE["services"].items() if each["image"] == "confab"}


def number(pattern: str, text: str) -> int:
    """Return the number that a pattern finds."""
    found = re.search(pattern, text, re.MULTILINE)
    assert found, pattern
    return int(found[1])


# -- names


def test_every_setting_it_names_exists():
    named = {found[1] for each in QUOTED if (found := re.fullmatch(r"([A-Z][A-Z_]+)(=.*)?", each))}
    for environment in environments():
        named |= set(environment)
    for service in serving().values():
        named |= set(service["environment"])
    named |= set(re.findall(r"^Environment=([A-Z_]+)=", UNIT, re.MULTILINE))
    own = dict(re.findall(r"\b([A-Z_]+)=(\S+)", "".join(re.findall(r"^ENV .*$", DOCKERFILE, re.MULTILINE))))
    named |= {name for name in own if not name.startswith(("PYTHON", "FLASK_"))}
    assert {"BASE_URL", "JOBS", "METRICS_TOKEN", "PORT"} <= named, "the test finds them"
    unknown = {name for name in named if not name.startswith(("POSTGRES_", "SIG")) and name != "HUP"}
    assert unknown <= SETTINGS, unknown - SETTINGS


def commands() -> set[str]:
    """Return what follows ``flask`` wherever a command is shown."""
    shown = re.findall(r"(?:bin/|app-1 )flask ([a-z-]+(?: [a-z-]+)*)", "\n".join([*BLOCKS, *QUOTED]))
    for service in serving().values():
        if service.get("command", [""])[0] == "flask":
            shown.append(" ".join(service["command"][1:]))
    return set(shown)


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_of_flask_exists(command: str, tmp_path: Path):
    group = FlaskGroup()
    # Closed at the end: looking for a command opens the application's context.
    with click.Context(group, obj=ScriptInfo(create_app=lambda: create_app(configured(tmp_path)))) as context:
        found: click.Command | None = group
        for word in command.split(" "):
            if not isinstance(found, click.Group):
                return  # it is an argument
            found = found.get_command(context, word)
            assert found is not None, f"no {word!r} in flask {command}"
    assert not isinstance(found, click.Group), "it is asked to do something"


def test_the_test_of_commands_finds_them():
    assert {"db upgrade", "user add", "worker", "doctor", "log rotate-epoch"} <= commands()


def test_every_file_it_runs_exists():
    shown = "\n".join([*BLOCKS, *QUOTED, UNIT])
    found = set(re.findall(r"(?<![\w./-])(?:/opt/confab/)?((?:bin|docs/deploying)/[\w./-]+)", shown))
    assert {"bin/run", "bin/flask", "docs/deploying/confab.service"} <= found
    for name in found:
        assert (ROOT / name).exists(), name


def test_every_line_of_the_log_is_said_somewhere():
    source = "".join(path.read_text() for path in sorted((ROOT / "chat").rglob("*.py")))
    table = PAGE.partition("| line | means |")[2].partition("\n\n")[0]
    lines = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    assert len(lines) > 5
    for line in lines:
        if line != "level=error":
            for part in re.split(r"…", re.sub(r"\d+", "%d", line)):
                assert part.strip() in source, line


# -- settings that start


@pytest.mark.parametrize("environment", environments(), ids=["one", "many"])
def test_the_settings_it_shows_are_taken(environment: dict[str, str], tmp_path: Path):
    config = load(environment | {"INSTANCE_PATH": str(tmp_path)})
    assert config.https
    assert config.TRUSTED_PROXIES == 1


@pytest.mark.parametrize("name", sorted(serving()))
def test_the_settings_of_containers_are_taken(name: str, tmp_path: Path):
    given = {
        "BASE_URL": "https://chat.example.org",
        "SECRET_KEY": SECRET,
        "POSTGRES_PASSWORD": "p1",
        "REDIS_PASSWORD": "p2",
        "METRICS_TOKEN": SECRET,
    }
    settings = {
        name: re.sub(r"\$\{(\w+):\?\}", lambda found: given[found[1]], value)
        for name, value in serving()[name]["environment"].items()
    }
    config = load(settings | {"HOST": "0.0.0.0", "INSTANCE_PATH": str(tmp_path)})
    assert config.database_uri == "postgresql+psycopg://confab:p1@postgres/confab"
    assert config.REDIS_URL == "redis://:p2@redis:6379/0"


def test_containers_reach_each_other():
    services = COMPOSE["services"]
    servers = re.findall(r"server ([\w-]+):8000 ", NGINX)
    assert servers == ["app-1", "app-2"]
    for name in (*servers, "postgres", "redis"):
        assert name in services
    assert "PORT=8000" in DOCKERFILE


def test_the_container_has_every_file_it_needs(tmp_path: Path):
    """What the Dockerfile copies, and nothing else, migrates a database and shows a page."""
    folder = tmp_path / "confab"
    folder.mkdir()
    for names in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = names.split(" ")
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, folder / target)
    code = (
        "import wsgi, flask_migrate\n"
        "with wsgi.app.app_context(): flask_migrate.upgrade()\n"
        "print(wsgi.app.test_client().get('/sign-in').status_code)"
    )
    env = {"INSTANCE_PATH": str(tmp_path / "data"), "SECRET_KEY": SECRET}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "200", done.stderr
    for name in re.findall(r'^CMD \[.*"-c", "([\w.]+)"', DOCKERFILE, re.MULTILINE):
        assert (folder / name).exists(), name


# -- numbers that belong together


def test_the_limits_of_the_database_are_ours():
    for name, milliseconds in postgresql.LIMITS.items():
        assert f"`{name}` {milliseconds // 1000} s" in PAGE, name
    pool = postgresql.engine_options(None)
    most = pool["pool_size"] + pool["max_overflow"]
    assert f"keeps {pool['pool_size']} connections and takes up to {most}" in PAGE
    assert f"{most} × (hosts × `WORKERS` + workers)" in PAGE
    assert most * len(serving()) < number(
        r"max_connections=(\d+)", " ".join(COMPOSE["services"]["postgres"]["command"])
    )


def test_nginx_and_we_agree_about_time_and_size():
    assert number(r"keepalive_timeout (\d+)s;", NGINX) < http.KEEP_ALIVE
    assert number(r"proxy_read_timeout (\d+)s;", NGINX) > 3 * hub.PING_EVERY
    assert number(r"client_max_body_size (\d+)m;", NGINX) * 1024**2 > 4 * pictures.MAX_BYTES + 512 * 1024


def test_who_stops_us_waits_long_enough():
    assert number(r"^TimeoutStopSec=(\d+)$", UNIT) > process.GRACE + 5
    for service in serving().values():
        assert number(r"^(\d+)s$", service["stop_grace_period"]) > process.GRACE + 5
    low, high = hub.RETRY_AFTER_BYE
    assert f"{low / 1000:g} to {high / 1000:g} s" in PAGE
