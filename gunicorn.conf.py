"""gunicorn's settings for the scaled form: ``gunicorn -c gunicorn.conf.py wsgi:app``."""

from config import load

_settings = load()

bind = f"{_settings.HOST}:{_settings.PORT}"
workers = _settings.WORKERS
worker_class = "chat.server.worker.Worker"
backlog = 4096
graceful_timeout = 10
timeout = 30
preload_app = False
# gunicorn 25 and later write a control socket into the home directory unless told not to.
control_socket_disable = True
