"""Pages: templates, addresses, static files, errors, and what protects them. Knows no feature."""

from __future__ import annotations

from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from chat.core import addresses, audit, ids, logs
from chat.web import errors, forms, guesses, health, htmx, rate_limits, security, static, templating, urls


def init_app(app: Flask) -> None:
    """Set up everything that every page needs."""
    app.wsgi_app = _from_normal_address(app.wsgi_app)  # type: ignore[method-assign]
    hops = app.config["TRUSTED_PROXIES"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.wsgi_app = _by_any_name(app.wsgi_app, app.config["SETTINGS"])  # type: ignore[method-assign]
    app.before_request(_name_request)
    health.init_app(app)
    app.after_request(_say_name)
    htmx.init_app(app)
    urls.init_app(app)
    static.init_app(app)
    templating.init_app(app)
    security.init_app(app)
    rate_limits.init_app(app)
    guesses.init_app(app)
    errors.init_app(app)
    forms.init_app(app)


def _by_any_name(application: Any, settings: Any) -> Any:
    """Let checks through under any name: they come by an address, and neither links nor cookies follow from them."""
    ours = urlsplit(settings.public_url).netloc

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] in health.CHECKS:
            environ["HTTP_HOST"] = ours
        return application(environ, start_response)

    return answer


def _from_normal_address(application: Any) -> Any:
    """Write the client's address in its normal form into the environ, and so into ``request.remote_addr``."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        environ["REMOTE_ADDR"] = addresses.normal(environ.get("REMOTE_ADDR")) or ""
        return application(environ, start_response)

    return answer


def _name_request() -> None:
    g.began = perf_counter()
    g.request_id = ids.new()[:8]
    logs.about_request(g.request_id)
    audit.origin.set(audit.Origin(request.remote_addr or "", g.request_id))


def _say_name(response: Response) -> Response:
    if "request_id" in g and not response.cache_control.immutable:
        response.headers["X-Request-Id"] = g.request_id
    return response
