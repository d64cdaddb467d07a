"""Pages: templates, addresses, static files, errors, and what protects them. Knows no feature."""

from __future__ import annotations

from time import perf_counter

from flask import Flask, Response, g
from werkzeug.middleware.proxy_fix import ProxyFix

from chat import ids, logs
from chat.web import errors, health, htmx, rate_limits, security, static, templating, urls


def init_app(app: Flask) -> None:
    """Set up everything that every page needs."""
    hops = app.config["TRUSTED_PROXIES"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.before_request(_name_request)
    app.after_request(_say_name)
    htmx.init_app(app)
    urls.init_app(app)
    static.init_app(app)
    templating.init_app(app)
    security.init_app(app)
    rate_limits.init_app(app)
    errors.init_app(app)
    health.init_app(app)


def _name_request() -> None:
    g.began = perf_counter()
    g.request_id = ids.new()[:8]
    logs.about_request(g.request_id)


def _say_name(response: Response) -> Response:
    if "request_id" in g and not response.cache_control.immutable:
        response.headers["X-Request-Id"] = g.request_id
    return response
