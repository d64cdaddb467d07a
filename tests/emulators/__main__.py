"""Run the emulators: ``python -m tests.emulators --port 9000``."""

from __future__ import annotations

import argparse
import logging

from werkzeug.serving import make_server

from tests.emulators import create_app
from tests.emulators.running import CLOUDINARY_AUTH_KEY, CLOUDINARY_URL, RESEND_API_KEY, settings


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulators", description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    port = parser.parse_args().port
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(
        "127.0.0.1", port, create_app(CLOUDINARY_URL, CLOUDINARY_AUTH_KEY, RESEND_API_KEY), threaded=True
    )
    print("Start Confab with these settings to use them:\n")
    for name, value in settings(f"http://127.0.0.1:{port}").items():
        print(f"export {name}='{value}'")
    print(f"\nE-mail that was sent: http://127.0.0.1:{port}/_outbox", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
