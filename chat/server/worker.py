"""The scaled form: gunicorn keeps the processes, each of them runs our server.

This module imports gunicorn only: the master loads it, is not patched, and must never load the application. Hub, epoll set
and Redis connections are made in the worker, after the fork. One listener is shared by all workers; ``reuse_port`` was seen
to drop connections on a reload.
"""

from __future__ import annotations

from typing import Any

from gunicorn.workers.ggevent import GeventWorker


class Worker(GeventWorker):
    """A gevent worker with our server, and a stop that waits for nobody's stream."""

    def init_process(self) -> None:
        """Make the event that ends ``run`` at once instead of at gunicorn's next look."""
        from gevent.event import Event

        self.stopping = Event()
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application and start its real-time parts, in this process."""
        super().load_wsgi()
        # On a reload the worker before us still ends its requests.
        self.wsgi.extensions["realtime"].start(patience=self.cfg.graceful_timeout + 5)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop gracefully."""
        self.alive = False
        self.stopping.set()

    def run(self) -> None:
        """Serve until told to stop."""
        from chat.server.http import Server, tune
        from chat.server.process import finish

        servers = []
        for sock in self.sockets:
            tune(sock)
            sock.setblocking(False)
            server = Server(sock, self.wsgi)
            server.start()
            servers.append(server)
        while self.alive:
            self.notify()
            self.stopping.wait(1.0)
        finish(self.wsgi, servers, self.cfg.graceful_timeout, self.notify)
