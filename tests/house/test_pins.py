"""One set of pins for every Python that Confab runs on: what is tested on one is what runs on the others."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.services import ROOT


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_no_package_has_another_version_on_another_python(file: str):
    pins = re.findall(r"^([\w.-]+)==", (ROOT / file).read_text(), re.MULTILINE)
    assert pins
    assert [name for name, times in Counter(pins).items() if times > 1] == [], "bound it in requirements.in"


def test_both_files_have_the_same_versions():
    pins = [
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / file).read_text(), re.MULTILINE))
        for file in ("requirements.txt", "requirements-dev.txt")
    ]
    shared = pins[0].keys() & pins[1].keys()
    assert {name: pins[0][name] for name in shared} == {name: pins[1][name] for name in shared}
