"""Static files: modules and style sheets are put in place, stripped and compressed; nothing of them is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from chat.web import modules
from tests.services import ROOT


def address(app: Flask, path: str) -> str:
    return f"/static/{app.extensions['static'].digest}/{path}"


def bundled(**files: str) -> str:
    return modules.bundle("main.js", lambda path: files[path.removesuffix(".js").replace("/", "_")])


def test_a_page_asks_for_one_module_that_holds_all_of_ours(app: Flask):
    text = app.test_client().get(address(app, "js/app.js")).get_data(as_text=True)
    assert 'customElements.define("message-list"' in text
    for path in (ROOT / "static/js").rglob("*.js"):
        if path.name == "bare.js":
            continue
        for name in re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", path.read_text(), re.MULTILINE):
            assert re.search(rf"(function|const|class) {name}\b", text), f"{name} of {path.name}"
    assert "import" not in text.replace("important", "")
    assert "\n/*" not in text


def test_one_who_develops_gets_every_module_as_it_was_written(make_app: Callable[..., tuple[Flask, dict[str, str]]]):
    app, _ = make_app()
    app.debug = True
    for name in ("app.js", "stream.js"):
        assert app.test_client().get(address(app, f"js/{name}")).data == (ROOT / "static/js" / name).read_bytes()


def test_a_theme_replaces_one_module(make_app: Callable[..., tuple[Flask, dict[str, str]]], tmp_path: Path):
    theirs = tmp_path / "static/js/lib/writing.js"
    theirs.parent.mkdir(parents=True)
    theirs.write_text((ROOT / "static/js/lib/writing.js").read_text() + 'console.info("the theme was here");\n')
    app, _ = make_app(THEME_DIR=str(tmp_path))
    assert "the theme was here" in app.test_client().get(address(app, "js/app.js")).get_data(as_text=True)


def test_the_sheet_of_a_theme_follows_ours(make_app: Callable[..., tuple[Flask, dict[str, str]]], tmp_path: Path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static/theme.css").write_text("@layer theme { .message { color: rebeccapurple; } }")
    app, _ = make_app(THEME_DIR=str(tmp_path))
    page = app.test_client().get("/nowhere", headers={"Accept": "text/html"}).get_data(as_text=True)
    sheets = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
    assert sheets[:2] == [address(app, "css/app.css"), address(app, "theme.css")]
    assert app.test_client().get(sheets[0]).get_data(as_text=True).startswith("@layer reset,")


def test_a_theme_s_sheet_is_sent_as_it_was_written(
    make_app: Callable[..., tuple[Flask, dict[str, str]]], tmp_path: Path
):
    """A minifier that knows no nesting takes the space of ``.message :is(p)`` for none."""
    written = "@layer theme {\n  .message :is(p) { color: rebeccapurple; }\n}\n"
    for name in ("theme.css", "css/components/message.css"):
        (tmp_path / "static" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "static" / name).write_text(written)
    app, _ = make_app(THEME_DIR=str(tmp_path))
    client = app.test_client()
    assert client.get(address(app, "theme.css")).get_data(as_text=True) == written
    assert written in client.get(address(app, "css/app.css")).get_data(as_text=True)


def test_sheets_that_import_what_is_not_there_or_each_other_keep_their_rules(
    make_app: Callable[..., tuple[Flask, dict[str, str]]], tmp_path: Path
):
    (tmp_path / "static").mkdir()
    rule = "@layer theme { .message { color: rebeccapurple; } }\n"
    (tmp_path / "static/theme.css").write_text(f'@import "more.css";\n@import "lost.css";\n{rule}')
    (tmp_path / "static/more.css").write_text('@import "theme.css";\n@layer theme { .tag { gap: 0; } }\n')
    app, _ = make_app(THEME_DIR=str(tmp_path))
    sheet = app.test_client().get(address(app, "theme.css"))
    assert sheet.get_data(as_text=True) == f"@layer theme {{ .tag {{ gap: 0; }} }}\n{rule}"


def test_without_a_theme_no_page_asks_for_its_sheet(app: Flask):
    assert "theme.css" not in app.test_client().get("/nowhere", headers={"Accept": "text/html"}).get_data(as_text=True)


def test_a_link_that_leads_out_of_a_theme_is_no_file(
    make_app: Callable[..., tuple[Flask, dict[str, str]]], tmp_path: Path
):
    (tmp_path / "secret.txt").write_text("a key")
    (tmp_path / "mine/static").mkdir(parents=True)
    (tmp_path / "mine/static/key.txt").symlink_to(tmp_path / "secret.txt")
    app, _ = make_app(THEME_DIR=str(tmp_path / "mine"))
    assert app.test_client().get(address(app, "key.txt")).status_code == 404


def test_modules_run_once_each_after_what_they_import():
    text = bundled(
        main='import { one, two as deux } from "./lib/a.js";\nimport * as b from "./b.js";\none(b.three, deux);\n',
        b='import { one } from "./lib/a.js";\nexport const three = one(2);\n',
        lib_a="export function one(x) {\n  return x + 1;\n}\nexport class two {}\n",
    )
    assert text.index("class two") < text.index("three = one(2)") < text.index("one(b.three, deux)")
    assert text.count("class two") == text.count("three = one(2)") == 1
    assert "const { one, two: deux } = module" in text
    assert "return { one, two };" in text


@pytest.mark.parametrize(
    ("main", "why"),
    [
        ("export default 1;\n", "export default 1;"),
        ("export { a };\n", "export { a };"),
        ("export let a = 1;\n", "export let a = 1;"),
        ('import a from "./a.js";\n', "import a from"),
        ('import { a } from "somewhere";\n', "somewhere"),
        ('import { a } from "./a.js";\n', "a.js imports itself"),
    ],
)
def test_what_cannot_be_put_in_place_is_said(main: str, why: str):
    with pytest.raises(ValueError, match=why):
        bundled(main=main, a='import "./b.js";\nexport const a = 1;\n', b='import "./a.js";\n')
