"""Whether a file that somebody holds, a receipt or the export of a legal hold, is from here and unchanged."""

from __future__ import annotations

import hashlib
import hmac
import json
import zipfile
from pathlib import Path

from chat.moderation.keeping.service import sealed


def verify_file(path: Path) -> str:
    """Return what is wrong with a receipt or an export; nothing if it is from here and unchanged."""
    if not zipfile.is_zipfile(path):
        return _signed(path.read_bytes(), "receipt")[1]
    with zipfile.ZipFile(path) as archive:
        if "manifest.json" not in archive.namelist():
            return "There is no manifest.json in it."
        text, problem = _signed(archive.read("manifest.json"), "manifest")
        if problem:
            return problem
        listed = json.loads(text)["files"]
        there = set(archive.namelist()) - {"manifest.json"}
        if there != set(listed):
            return f"It holds other files than its manifest: {', '.join(sorted(there ^ set(listed)))}."
        for name, digest in listed.items():
            found = hashlib.sha256()
            with archive.open(name) as file:
                while piece := file.read(1024 * 1024):
                    found.update(piece)
            if found.hexdigest() != digest:
                return f"{name} is not what was exported."
    return ""


def _signed(data: bytes, name: str) -> tuple[str, str]:
    """Return the text under the seal, and what is wrong with it."""
    try:
        told = json.loads(data)
        text, seal = str(told[name]), str(told["seal"])
    except (ValueError, KeyError, TypeError):
        return "", f"This is no {name} of ours."
    if not hmac.compare_digest(sealed(text).encode(), seal.encode("utf-8", "replace")):
        return "", f"The seal does not fit: the {name} was changed, or is from another place."
    return text, ""
