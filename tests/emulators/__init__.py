"""Stand-ins for the outside services: they speak the HTTP that the real SDKs speak, check keys and signatures, and can fail.

A process of its own, ``python -m tests.emulators --port 9000``: for tests, and for trying Confab with pictures at
"Cloudinary" and e-mail through "Resend" without an account at either. It keeps everything in memory. What an SDK sends
was read in its source; nothing here imports one, so that a signature is checked by a second opinion and not by itself.

==========================  ==================================================================
``/v1_1/<cloud>/image/…``   Cloudinary's upload API: ``upload``, ``rename``, ``destroy``
``/<cloud>/image/…``        Cloudinary's delivery, with signed addresses and one transformation
``/emails``                 Resend's API
``GET /_assets``            the pictures that are kept
``GET /_outbox``            the e-mails that were accepted
``GET /_requests``          every request to the APIs, with the status it was answered
``POST /_faults``           fail the next requests to a service: see ``faults``
``POST /_reset``            forget everything
==========================  ==================================================================
"""

from __future__ import annotations

from flask import Flask, Response

from tests.emulators import cloudinary, faults, resend


def create_app(cloudinary_url: str, cloudinary_auth_key: str, resend_key: str) -> Flask:
    """Return the emulators for these accounts, as one application."""
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(faults.blueprint)
    app.register_blueprint(resend.blueprint)
    app.register_blueprint(cloudinary.blueprint)
    services = (
        faults.init_app(app),
        cloudinary.init_app(app, cloudinary_url, cloudinary_auth_key),
        resend.init_app(app, resend_key),
    )

    @app.post("/_reset")
    def reset() -> Response:
        for service in services:
            service.reset()
        return Response(status=204)

    return app
