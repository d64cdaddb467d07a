"""What protects a page whatever it shows: cookies, CSRF, the content security policy, caching, hosts.

CSRF is refused twice: by where the browser says the request comes from, and by a token bound to the session cookie.
The token is masked anew in every page, so that compressing a page together with what a visitor typed tells nothing.
"""

from __future__ import annotations

import base64
import logging
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from chat.core import ids, keys, security_events
from chat.core.database import db
from chat.core.errors import NotAllowed, NotSignedIn, Outdated, TooFast
from config import LOOPBACK

F = TypeVar("F", bound=Callable[..., Any])

log = logging.getLogger(__name__)

#: Headers that proxies add, besides X-Forwarded-…
_FORWARDING = {
    "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Forwarded-For",
    "X-Envoy-External-Address", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "X-Azure-Clientip", "Fly-Client-Ip",
}  # fmt: skip
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_MASK_BYTES = 12
_SEAL_BYTES = 22
_PERSON_BYTES = 8
#: Seconds: a login session that is not used ends after a week.
COOKIE_LIFE = 7 * 24 * 3600
#: Large bodies that one person may send this process at the same time.
MOST_LARGE = 4
_large: Counter[str] = Counter()


def init_app(app: Flask) -> None:
    """Check requests and complete responses."""
    app.before_request(_warn_of_proxy)
    app.before_request(_refuse_foreign)
    app.teardown_request(_count_large_no_more)
    app.after_request(_complete)
    app.config["SECURITY_HEADERS"] = headers(app.config["SETTINGS"])


# -- cookies


def cookie_name(settings: Any, name: str) -> str:
    """Return a cookie's name: with ``__Host-``, which browsers bind to this very host, wherever https allows it."""
    return f"__Host-{name}" if settings.https else f"confab-{name}"


def read_cookie(name: str) -> str:
    """Return the value of one of our cookies, or an empty text."""
    return request.cookies.get(cookie_name(current_app.config["SETTINGS"], name), "")


def set_cookie(response: Response, name: str, value: str, life: int | None = COOKIE_LIFE, strict: bool = False) -> None:
    """Set one of our cookies.

    :param life: seconds; None for a cookie that ends with the browser.
    :param strict: not even sent when a link from another site leads here.
    """
    settings = current_app.config["SETTINGS"]
    response.set_cookie(
        cookie_name(settings, name),
        value,
        max_age=life,
        secure=settings.https,
        httponly=True,
        samesite="Strict" if strict else "Lax",
        path="/",
    )


def drop_cookie(response: Response, name: str) -> None:
    """Make the browser forget one of our cookies."""
    settings = current_app.config["SETTINGS"]
    response.delete_cookie(cookie_name(settings, name), path="/", secure=settings.https, httponly=True, samesite="Lax")


# -- CSRF


def csrf_token() -> str:
    """Return the token for a form of this page. Gives a visitor without a session a cookie to bind it to.

    It also says whose page it is, so that a text written as one person is never sent as another.
    """
    mask = secrets.token_bytes(_MASK_BYTES)
    raw = _csrf_seal(_bound_to()) + _person_seal()
    return base64.urlsafe_b64encode(mask + _masked(raw, mask)).decode().rstrip("=")


def csrf_valid(token: str, *cookies: str) -> bool:
    """Tell whether a token was made for one of the given cookies; without any, for this session or visitor."""
    seal = _unmasked(token)[:_SEAL_BYTES]
    bound = cookies or (read_cookie("session") or read_cookie("visitor"),)
    return any(bool(each) and secrets.compare_digest(seal, _csrf_seal(each)) for each in bound)


def comes_from_here() -> bool:
    """Tell whether the browser itself says that the form of this request was on a page of this site."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    return site == "same-origin" if site is not None else origin is not None and origin in _own_origins()


def of_this_person(token: str) -> bool:
    """Tell whether a token was made for the person who is signed in, in whichever session."""
    seal = _unmasked(token)[_SEAL_BYTES:]
    return current_user.is_authenticated and secrets.compare_digest(seal, _person_seal())


def _unmasked(token: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"==")
    except ValueError:
        return b""
    mask, rest = raw[:_MASK_BYTES], raw[_MASK_BYTES:]
    return _masked(rest, mask) if mask else b""


def _person_seal() -> bytes:
    return keys.seal(keys.derive("csrf person"), getattr(current_user, "id", "")).encode()[:_PERSON_BYTES]


def _csrf_seal(cookie: str) -> bytes:
    return keys.seal(keys.derive("csrf"), cookie).encode()


def _masked(data: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(data))


def _bound_to() -> str:
    """Return the cookie to which tokens of this request are bound: the session's, or one for those who have none.

    They are two, because a request from another site comes without the session's cookie: what it is answered with must
    not take its place; and because whoever signs in in one tab may do so in another.
    """
    session = read_cookie("session") if current_user.is_authenticated else ""
    cookie: str = session or read_cookie("visitor") or g.get("new_visitor", "")
    if not cookie:
        cookie = g.new_visitor = ids.secret()
    return cookie


def takes(size: int) -> Callable[[F], F]:
    """Mark a view that takes bodies of up to so many bytes from people who are signed in; others are held to the default."""

    def mark(view: F) -> F:
        view._takes = size  # type: ignore[attr-defined]
        return view

    return mark


def for_anybody(outdated: Callable[[], Response], session: bool = False) -> Callable[[F], F]:
    """Mark a form for signed-in people and visitors alike: the token of either cookie counts, for one may sign in meanwhile.

    :param outdated: answers a form whose token has grown old, in place of the view.
    :param session: whether that is for visitors only: the form is about the session, so a person is asked about it again.
    """

    def mark(view: F) -> F:
        view._outdated = outdated  # type: ignore[attr-defined]
        view._for_session = session  # type: ignore[attr-defined]
        return view

    return mark


def _count_large(person_id: str) -> None:
    """Count a body that is larger than those of others may be, while it is under way.

    :raises TooFast: this person sends as many as one may; each is written to the disk as it comes.
    """
    length = request.content_length
    if length is not None and length <= current_app.config["MAX_CONTENT_LENGTH"]:
        return
    if _large[person_id] >= MOST_LARGE:
        raise TooFast("You are sending several large things at once. Wait until they have arrived.", 10)
    _large[person_id] += 1
    g.large_of = person_id


def _count_large_no_more(_: BaseException | None) -> None:
    person_id = g.pop("large_of", None)
    if person_id is not None:
        _large[person_id] -= 1
        if not _large[person_id]:
            del _large[person_id]


def _refuse_foreign() -> Response | None:
    view = current_app.view_functions.get(request.endpoint or "")
    size = getattr(view, "_takes", None)
    if size is not None and current_user.is_authenticated:
        _count_large(current_user.id)
        request.max_content_length = size
    site = request.headers.get("Sec-Fetch-Site")
    if request.method in SAFE_METHODS:
        return None
    if view is None:
        return None
    if site is not None:
        ours = site in {"same-origin", "none"}
    else:
        origin = request.headers.get("Origin")
        ours = origin is None or origin in _own_origins()
    if not ours:
        note("token.foreign")
        raise NotAllowed("This form was sent from another site. Open the page here and try again.")
    token = request.headers.get("X-CSRFToken") or request.form.get("csrf_token", "")
    if csrf_valid(token):
        return None
    answer: Callable[[], Response] | None = getattr(view, "_outdated", None)
    if answer is not None and csrf_valid(token, read_cookie("visitor")):
        return None
    note("token.form")
    if current_user.is_authenticated and (answer is None or view._for_session):  # type: ignore[union-attr]
        # Only what the browser itself says came from a page of ours is offered again.
        proven = comes_from_here()
        raise Outdated(proven, proven and of_this_person(token))
    if answer is None:
        raise NotSignedIn
    return answer()


def _own_origins() -> set[str]:
    """Return the origins that a browser may name for this site, by the host that this request came under.

    Its scheme is that of BASE_URL: behind a proxy a request says less. Only loopback is reached without the proxy, too.
    """
    schemes = {urlsplit(current_app.config["SETTINGS"].public_url).scheme}
    if urlsplit(f"//{request.host}").hostname in LOOPBACK:
        schemes.add("http")
    return {f"{scheme}://{request.host}" for scheme in schemes}


def note(kind: str) -> None:
    """Note the refusal of the current request, with the account that sent it.

    :param kind: of the security event.
    """
    try:
        user_id = getattr(current_user, "id", None)
    except SQLAlchemyError:  # a database that is away makes no other answer of this one
        db.session.rollback()
        user_id = None
    security_events.note(kind, user_id, detail=request.endpoint or "")


def forwarded() -> bool:
    """Tell whether a proxy says that it passes this request on."""
    return any(name in _FORWARDING or name.startswith("X-Forwarded-") for name, _ in request.headers)


def _warn_of_proxy() -> None:
    """Warn once of a proxy in front whose word about addresses is not taken."""
    app = current_app
    if not app.config["TRUSTED_PROXIES"] and "told_of_proxy" not in app.extensions and forwarded():
        app.extensions["told_of_proxy"] = True
        log.warning(
            "A request came through a proxy, and TRUSTED_PROXIES is 0: everybody has the proxy's address, and shares the "
            "limits on signing in. Set TRUSTED_PROXIES to how many proxies there are, and BASE_URL to what people type."
        )


def from_this_machine() -> bool:
    """Tell whether this request comes from the machine itself, and from a site that serves nobody else.

    Where people come by another name, or something on this machine says that it passes them on, nobody can be told from us.
    """
    if forwarded():
        return False
    private = urlsplit(current_app.config["SETTINGS"].public_url).hostname in LOOPBACK
    return private and request.remote_addr in LOOPBACK


# -- what every response says


def headers(settings: Any) -> dict[str, str]:
    """Return the headers of every response, pages and errors alike."""
    pictures = ["'self'", "blob:", *picture_hosts(settings)]
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "font-src": "'self'",
        "img-src": " ".join(pictures),
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    found = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
    }
    if settings.https:
        found["Strict-Transport-Security"] = "max-age=31536000"
    return found


def picture_hosts(settings: Any) -> list[str]:
    """Return the hosts besides our own that pictures may come from."""
    if not settings.CLOUDINARY_URL:
        return []
    prefix = settings.CLOUDINARY_UPLOAD_PREFIX
    return [prefix] if prefix.startswith("http://") else ["https://res.cloudinary.com"]


def stream_headers(settings: Any) -> dict[str, str]:
    """Return the headers of an event stream: never kept, never buffered by a proxy, never compressed."""
    return headers(settings) | {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-store, no-transform",
        "Vary": "Cookie",
        "X-Accel-Buffering": "no",
    }


def stream_head(settings: Any) -> bytes:
    """Return the HTTP head of a stream served at the door, without its Date and its last line end."""
    lines = [
        "HTTP/1.1 200 OK",
        "Connection: close",
        *(f"{name}: {value}" for name, value in stream_headers(settings).items()),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _complete(response: Response) -> Response:
    if request.blueprint == "static_files" and response.status_code == 200:
        return response
    present = {name.lower() for name, _ in response.headers}
    for name, value in current_app.config["SECURITY_HEADERS"].items():
        if name.lower() not in present:
            response.headers.add(name, value)
    if "cache-control" not in present:
        response.headers.add("Cache-Control", "no-store")
        response.vary.update(("Cookie", "HX-Request"))
    if "new_visitor" in g:
        set_cookie(response, "visitor", g.new_visitor, life=None)
    return response
