"""Cloudinary: its upload API for images, and their delivery.

Signatures as documented: https://cloudinary.com/documentation/authentication_signatures and
https://cloudinary.com/documentation/delivery_url_signatures; tokens as in
https://cloudinary.com/documentation/control_access_to_media#delivering_token_based_authenticated_media_assets.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import parse_qsl, unquote, urlsplit

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from PIL import Image, UnidentifiedImageError

from tests.emulators import faults

#: Seconds for which a signed request may be sent.
FRESH = 3600
UNSIGNED = {"file", "api_key", "signature", "resource_type", "cloud_name"}
TYPES = {"upload", "private", "authenticated"}

_ADDRESS = re.compile(
    r"(?:s--(?P<signature>[\w-]{8})--/)?(?:(?P<transformation>[a-z]+_[^/]+)/)?(?:v\d+/)?(?P<source>(?P<id>.+)\.(?P<format>\w+))"
)
_TOKEN_ESCAPED = re.compile(r"[ \"#%&'/:;<=>?@\[\\\]^`{|}~]")

blueprint = Blueprint("cloudinary", __name__)


@dataclass
class Asset:
    """A picture that is kept."""

    public_id: str
    type: str
    data: bytes
    format: str
    width: int
    height: int
    version: int = field(default_factory=lambda: int(time.time()))
    asset_id: str = field(default_factory=lambda: secrets.token_hex(16))


class Refused(Exception):
    """What the API answers instead: a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Account:
    """One account with its pictures, by type and public id."""

    def __init__(self, url: str, auth_key: str) -> None:
        parts = urlsplit(url)
        self.cloud, self.key, self.secret = parts.hostname or "", parts.username or "", parts.password or ""
        self.auth_key = bytes.fromhex(auth_key)
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget every picture."""
        self.assets: dict[tuple[str, str], Asset] = {}


def init_app(app: Flask, url: str, auth_key: str) -> Account:
    """Open an account.

    :param url: ``cloudinary://key:secret@cloud``.
    :param auth_key: the key of delivery tokens, in hexadecimal.
    """
    made = app.extensions["cloudinary"] = Account(url, auth_key)
    return made


def refusal(status: int) -> Response:
    """Return the API's answer of a status, for faults."""
    message = "Rate Limit Exceeded. Too many requests." if status == 429 else "General Error"
    return _json({"error": {"message": message}}, status)


@blueprint.errorhandler(Refused)
def refused(problem: Refused) -> Response:
    """Answer as the API does; delivery says it in a header as well."""
    response = _json({"error": {"message": problem.message}}, problem.status)
    response.headers["X-Cld-Error"] = problem.message
    return response


# -- the upload API


@blueprint.post("/v1_1/<cloud>/image/upload")
def upload(cloud: str) -> Response:
    """Keep a picture."""
    account = _signed(cloud)
    kind, public_id = _type(), request.form.get("public_id") or secrets.token_hex(10)
    file = request.files.get("file")
    if file is None:
        raise Refused(400, "Missing required parameter - file")
    data = file.read()
    if not data:
        raise Refused(400, "Empty file")
    try:
        with Image.open(BytesIO(data)) as image:
            asset = Asset(public_id, kind, data, (image.format or "").lower(), *image.size)
    except UnidentifiedImageError:
        raise Refused(400, "Invalid image file") from None
    with account.lock:
        before = account.assets.get((kind, public_id))
        if before is not None and request.form.get("overwrite") in {"0", "false"}:
            return _json(_described(account, before) | {"existing": True})
        account.assets[kind, public_id] = asset
    return _json(_described(account, asset))


@blueprint.post("/v1_1/<cloud>/image/rename")
def rename(cloud: str) -> Response:
    """Give a picture another public id."""
    account, kind = _signed(cloud), _type()
    source, target = _required("from_public_id"), _required("to_public_id")
    with account.lock:
        if (kind, source) not in account.assets:
            raise Refused(404, f"Resource not found - {source}")
        if (kind, target) in account.assets and request.form.get("overwrite") not in {"1", "true"}:
            raise Refused(409, f"to_public_id {target} already exists")
        asset = account.assets[kind, target] = account.assets.pop((kind, source))
        asset.public_id = target
    return _json(_described(account, asset))


@blueprint.post("/v1_1/<cloud>/image/destroy")
def destroy(cloud: str) -> Response:
    """Forget a picture; a missing one is no error."""
    account = _signed(cloud)
    with account.lock:
        found = account.assets.pop((_type(), _required("public_id")), None)
    return _json({"result": "ok" if found else "not found"})


@blueprint.get("/_assets")
def assets() -> Response:
    """Show what is kept."""
    account: Account = current_app.extensions["cloudinary"]
    return _json([_described(account, asset) for asset in account.assets.values()])


def _signed(cloud: str) -> Account:
    """Return the account, having checked key, time and signature of the request."""
    account = _account(cloud)
    for name in ("api_key", "timestamp", "signature"):
        _required(name)
    if request.form["api_key"] != account.key:
        raise Refused(401, f"Unknown API key {request.form['api_key']}")
    sent = int(request.form["timestamp"])
    if sent < time.time() - FRESH:
        when = time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime(sent))
        raise Refused(400, f"Stale request - reported time is {when} which is more than 1 hour ago")
    pairs = sorted((name, value) for name, value in request.form.items() if name not in UNSIGNED and value)
    text = "&".join(f"{name}={value}".replace("&", "%26") for name, value in pairs)
    if not hmac.compare_digest(hashlib.sha1((text + account.secret).encode()).hexdigest(), request.form["signature"]):
        raise Refused(401, f"Invalid Signature {request.form['signature']}. String to sign - '{text}'.")
    return account


def _account(cloud: str) -> Account:
    account: Account = current_app.extensions["cloudinary"]
    if cloud != account.cloud:
        raise Refused(401, f"Invalid cloud_name {cloud}")
    return account


def _required(name: str) -> str:
    value = request.form.get(name)
    if not value:
        raise Refused(400, f"Missing required parameter - {name}")
    return value


def _type() -> str:
    kind = request.form.get("type", "upload")
    if kind not in TYPES:
        raise Refused(400, f"Invalid type {kind}")
    return kind


def _described(account: Account, asset: Asset) -> dict[str, object]:
    path = f"{account.cloud}/image/{asset.type}/v{asset.version}/{asset.public_id}.{asset.format}"
    signed = f"public_id={asset.public_id}&version={asset.version}{account.secret}"
    return {
        "asset_id": asset.asset_id,
        "public_id": asset.public_id,
        "version": asset.version,
        "signature": hashlib.sha1(signed.encode()).hexdigest(),
        "width": asset.width,
        "height": asset.height,
        "format": asset.format,
        "resource_type": "image",
        "type": asset.type,
        "bytes": len(asset.data),
        "etag": hashlib.md5(asset.data, usedforsecurity=False).hexdigest(),
        "url": f"{request.host_url}{path}",
        "secure_url": f"{request.host_url}{path}",
    }


# -- delivery


@blueprint.get("/<cloud>/image/<any(upload, private, authenticated):kind>/<path:_rest>")
def deliver(cloud: str, kind: str, _rest: str) -> Response:
    """Send a picture, as it is or transformed; an authenticated one to who has a signature or a token."""
    account = _account(cloud)
    address = _ADDRESS.fullmatch(_path().split("/", 4)[4])
    if address is None:
        raise Refused(400, "Invalid URL")
    if kind != "upload" and not (_signature_holds(account, address) or _token_holds(account)):
        raise Refused(401, "deny or ACL failure" if "__cld_token__" in request.args else "Unauthorized")
    asset = account.assets.get((kind, unquote(address["id"])))
    if asset is None:
        raise Refused(404, f"Resource not found - {unquote(address['id'])}")
    if address["transformation"] is None and address["format"] == asset.format:
        data, mimetype = asset.data, f"image/{asset.format}"
    else:
        data, mimetype = _transformed(asset, address["transformation"] or ""), "image/webp"
    response = Response(data, mimetype=mimetype)
    response.headers["Cache-Control"] = "private, no-transform, immutable, max-age=2592000"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.set_etag(hashlib.md5(data, usedforsecurity=False).hexdigest())
    return response.make_conditional(request)


def _path() -> str:
    """The path as it was sent: signatures are over its escapes."""
    return urlsplit(request.environ["RAW_URI"]).path


def _signature_holds(account: Account, address: re.Match[str]) -> bool:
    """The first characters of a hash over everything after the signature, but for the version."""
    text = "/".join(part for part in (address["transformation"], address["source"]) if part)
    digest = base64.urlsafe_b64encode(hashlib.sha1((text + account.secret).encode()).digest()).decode()
    return hmac.compare_digest(digest[:8], address["signature"] or "")


def _token_holds(account: Account) -> bool:
    """A token says until when it is good and is bound to the path by its last part."""
    token, _, given = request.args.get("__cld_token__", "").partition("~hmac=")
    parts = dict(parse_qsl(token.replace("~", "&")))
    if not given or int(parts.get("exp", 0)) < time.time() or int(parts.get("st", 0)) > time.time():
        return False
    path = _TOKEN_ESCAPED.sub(lambda found: f"%{ord(found[0]):02x}", _path())
    return hmac.compare_digest(
        hmac.digest(account.auth_key, f"{token}~url={path}".encode(), hashlib.sha256).hex(), given
    )


def _transformed(asset: Asset, transformation: str) -> bytes:
    """Apply ``c_limit`` with ``w`` and ``h``; without ``fl_awebp`` only the first frame of what moves is left."""
    asked = dict(part.split("_", 1) for part in transformation.split(",") if part)
    if asked.keys() - {"c", "w", "h", "q", "f", "fl"} or asked.get("c", "limit") != "limit":
        raise Refused(400, f"Invalid transformation {transformation}")
    with Image.open(BytesIO(asset.data)) as image:
        image.load()
        image.thumbnail((int(asked.get("w", image.width)), int(asked.get("h", image.height))))
        out = BytesIO()
        image.save(out, "WEBP", save_all="fl" in asked, quality=80)
    return out.getvalue()


def _json(value: object, status: int = 200) -> Response:
    response = jsonify(value)
    response.status_code = status
    response.headers["X-Request-Id"] = secrets.token_hex(16)
    return response


faults.watch(blueprint, refusal)
