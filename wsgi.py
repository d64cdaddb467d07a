"""The entry of every server: ``python wsgi.py``, ``gunicorn -c gunicorn.conf.py wsgi:app``, or any other WSGI server."""

# isort: off
# Before anything else: psycopg, ssl and redis choose their way of waiting when they are imported.
from gevent import monkey

monkey.patch_all()
# isort: on

import os  # noqa: E402
import sys  # noqa: E402

from config import Config, ConfigError, load  # noqa: E402

if __name__ != "__main__":
    from app import create_app
    from chat.core import logs

    logs.configure()
    app = create_app()


def main() -> None:
    """Migrate the database, say where we are, and serve: in this process, or by gunicorn when WORKERS asks for more."""
    try:
        settings = load()
        claim = _claim(settings)
    except ConfigError as problem:
        sys.exit(f"Confab cannot start. {problem}")
    from sqlalchemy.exc import OperationalError

    from app import create_app
    from chat import cli
    from chat.core import logs

    logs.configure()
    application = create_app(settings)
    try:
        cli.prepare(application)
    except OperationalError as problem:
        sys.exit(f"Confab cannot start. The database does not answer: {str(problem.orig).strip().splitlines()[0]}")
    if settings.WORKERS > 1:
        claim.close()
        os.execvp(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"])  # noqa: S606
    from chat.realtime import AlreadyServedError
    from chat.server.process import serve

    try:
        serve(application, claim)
    except AlreadyServedError as problem:
        sys.exit(f"Confab cannot start. {problem}")


def _claim(settings: Config):  # type: ignore[no-untyped-def]  # a socket, whose module must not be imported up here
    """Listen, before anything else is touched.

    :raises ConfigError: the port is taken, or the address is not ours.
    """
    from chat.server.http import listener

    try:
        return listener(settings.HOST, settings.PORT)
    except OSError as problem:
        raise ConfigError(
            f"Cannot listen on {settings.HOST}:{settings.PORT} ({os.strerror(problem.errno or 0)}). "
            f"Stop what is there, or choose another port: PORT={settings.PORT + 1} bin/run"
        ) from None


if __name__ == "__main__":
    main()
