"""What is wrong with a theme is said with file, line and remedy; a theme that keeps the contracts passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from chat.themes import lock
from chat.themes.check import check
from chat.themes.faults import faults, parse
from chat.themes.problems import Problem
from chat.themes.rendering import Renderer
from tests.services import ROOT

MESSAGE = "templates/messages/_message.html"
SHIPPED = (ROOT / MESSAGE).read_text()
Write = Callable[[dict[str, str]], list[Problem]]


@pytest.fixture
def checked(app: Flask, tmp_path: Path) -> Write:
    """Check a theme of some files, written against what is shipped now."""

    def write(files: dict[str, str]) -> list[Problem]:
        theme = tmp_path / "mine"
        for file, text in files.items():
            (theme / file).parent.mkdir(parents=True, exist_ok=True)
            (theme / file).write_text(text)
        with app.app_context():
            lock.write(theme, Renderer(app, None))
            return check(theme, app)

    return write


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.smoke
def test_what_is_shipped_is_a_theme_that_keeps_everything(checked: Write):
    names = [
        "messages/_message.html",
        "messages/_composer.html",
        "messages/_tombstone.html",
        "rooms/_row.html",
        "mail/welcome.txt",
    ]
    assert checked({f"templates/{name}": (ROOT / "templates" / name).read_text() for name in names}) == []


#: What is put in the place of what in the layout of a message, and what is said of it, in which line, with which remedy.
PLANTED = {
    "a missing id": (
        ' id="message_{{ message.id }}"', "",
        'lacks [id^="message_"]', "<li class=", 'id="message_{{ message.id }}"',
    ),
    "a lost hook": (
        ' data-client-id="{{ message.client_id }}"', "",
        "lacks [data-client-id]", "<li class=", 'data-client-id="{{ message.client_id }}"',
    ),
    "a lost class": (
        '<div class="message__text" dir="auto">', '<div dir="auto">',
        ".message__text is missing", "", '<div class="message__text"',
    ),
    "an unlabelled button": (
        '<p class="message__head">', '<p class="message__head"><button type="button">{{ icon("flag") }}</button>',
        "<button> has no name that a screen reader can say", "<p class=\"message__head\">", "visually-hidden",
    ),
    "a renamed field": (
        '{{ message.author.name }}', '{{ message.author.nickname }}',
        "'chat.accounts.contexts.PersonContext object' has no attribute 'nickname'", "nickname", "Is it name?",
    ),
    "a name that is not given": (
        '{{ message.author.name }}', '{{ mesage.author.name }}', "'mesage' is undefined", "mesage.author", "Is it message?",
    ),
    "somebody who looks, in what everybody is sent": (
        '{{ message.author.name }}', '{{ layout.viewer.name }}', "'layout' is undefined", "layout.viewer",
        "does not know who looks",
    ),
    "a script in an attribute": (
        '<p class="message__head">', '<p class="message__head" onclick="hide()">', "has the attribute onclick",
        "onclick", "static/",
    ),
    "a picture of elsewhere": (
        '<p class="message__head">', '<p class="message__head"><img alt="" src="https://pictures.example/x.png">',
        "loads from another host", "pictures.example", "static/",
    ),
    "a form without a token": (
        '<p class="message__head">', '<p class="message__head"><form method="post" action="/"></form>',
        "has no csrf_token", "<form", "csrf(layout.csrf_token)",
    ),
    "a link for scripts alone": (
        '<p class="message__head">', '<p class="message__head"><a hx-get="/x">More</a>',
        "leads nowhere without script", "hx-get", "href",
    ),
    "a name that turns its line round": (
        '<bdi class="message__author">{{ message.author.name }}</bdi>', '<b>{{ message.author.name }}</b>',
        "may be read from right to left", "<b>", "<bdi>",
    ),
    "another number in a hook": (
        'data-seq="{{ message.seq }}"', 'data-seq="{{ message.seq }}7"',
        "data-seq is", "<li class=", "as ours does",
    ),
    "a static file that is not there": (
        '<p class="message__head">', '<p class="message__head"><img alt="" src="{{ static_url("stamp.png") }}">',
        "There is no static/stamp.png", "stamp.png", "static/ of the theme",
    ),
    "an icon that is not there": (
        '<p class="message__head">', '<p class="message__head">{{ icon("pensil") }}',
        "There is no icon pensil", "pensil", "Is it pencil?",
    ),
    "a name that may be a script": (
        "{{ message.author.name }}</bdi>", "{{ message.author.name|safe }}</bdi>",
        "is what somebody wrote", "message__author", "|safe",
    ),
    "a part that is not there": (
        '{% include for_room("messages/_pictures.html", message.room_id) %}', '{% include "messages/_picturs.html" %}',
        "There is no template messages/_picturs.html", "_picturs", "Is it messages/_pictures.html?",
    ),
    "a template that cannot be read": (
        '<p class="message__head">', '<p class="message__head">{% if %}', "Expected an expression", "{% if %}", "mend it here",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_reported_with_its_line(name: str, checked: Write):
    there, instead, sentence, place, remedy = PLANTED[name]
    assert there in SHIPPED
    text = SHIPPED.replace(there, instead)
    found = [each for each in checked({MESSAGE: text}) if sentence in each.sentence]
    assert found
    assert (found[0].file, found[0].line) == (MESSAGE, line_of(text, place) if place else 1)
    assert remedy in found[0].remedy


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        (' method="post"', "puts what is typed into the address"),
        (' enctype="multipart/form-data"', "sends no files"),
        (' name="client_id"', 'Write it as ours does: name="client_id"'),
    ],
)
def test_a_composer_that_sends_something_else_is_reported(there: str, sentence: str, checked: Write):
    name = "templates/messages/_composer.html"
    text = (ROOT / name).read_text()
    assert there in text
    head, _, body = text.partition("#}\n")
    found = checked({name: f"{head}#}}\n{body.replace(there, '', 1)}"})
    assert [each for each in found if sentence in each.sentence + each.remedy]


def test_a_fault_of_one_state_says_in_which(checked: Write):
    text = SHIPPED.replace('{% include for_room("messages/_pictures.html", message.room_id) %}', "{{ nothing }}")
    (problem,) = checked({MESSAGE: text})
    assert problem.states == ("with a picture", "with many pictures")


CSS = "static/theme.css"


@pytest.mark.parametrize(
    ("rule", "sentence", "remedy"),
    [
        (":root {\n    --text-3: light-dark(#999, #eee); }", "on var(--surface) has a contrast of 2.8, light", "lightness"),
        (":root {\n    --canvas: light-dark(#fff, #555); }", "has a contrast of", "lightness"),
        (".message__author {\n    color: #bbb; }", "#bbb on var(--surface) has a contrast of 1.9, light", "background"),
        (".message {\n    color: rgb(0 0 0 / 40%); }", "on var(--surface) has a contrast of", "lightness"),
        (".message {\n    background: rgb(0 0 0 / 60%); }", "has a contrast of", "lightness"),
        (".message {\n    color: #777; background: #ddd; }", "#777 on #ddd has a contrast of 3.3", "lightness"),
        (".message { & b {\n    background: var(--text); } }", "var(--text) on var(--text) has a contrast of 1.0", "lightness"),
        (":root {\n    --acent: #123456; }", "Nothing uses --acent", "Is it --accent?"),
        (".message {\n    margin-left: 1rem; }", "margin-left stays where it is", "margin-inline-start"),
        (".message {\n    text-align: left; }", "text-align stays where it is", "start"),
        (".message {\n    gap: 0 !important; }", "gap is !important", "layer"),
        (".message {\n    background: url(https://a.example/b.png); }", "another host", "relative path"),
        (".message {\n    gap }", "no CSS", "leaves it out"),
    ],
)  # fmt: skip
def test_a_fault_of_a_style_sheet_is_reported_with_its_line(rule: str, sentence: str, remedy: str, checked: Write):
    found = [each for each in checked({CSS: f"@layer theme {{\n  {rule}\n}}\n"}) if sentence in each.sentence]
    assert found
    assert (found[0].file, found[0].line) == (CSS, 3)
    assert remedy in found[0].remedy


def test_a_rule_outside_of_the_layer_is_reported(checked: Write):
    (problem,) = checked({CSS: "@layer theme { .message { gap: 0; } }\n\n.message { gap: 0; }\n"})
    assert (problem.line, problem.remedy) == (3, "Write @layer theme { … } around it.")
    assert "wins over the look that an administrator chose" in problem.sentence


def test_a_picture_that_is_not_there_is_reported(checked: Write):
    rule = ".message {\n  background: url({}); }"
    (problem,) = checked({CSS: f"@layer theme {{ {rule.replace('{}', 'img/lost.png')} }}"})
    assert (problem.line, problem.sentence) == (2, "There is no static/img/lost.png.")
    there = {"static/img/lost.png": "png", CSS: f"@layer theme {{ {rule.replace('{}', 'img/lost.png')} }}"}
    assert checked(there) == []


def test_a_sheet_that_is_not_there_is_reported(checked: Write):
    (problem,) = checked({CSS: '@import "lost.css";\n@layer theme { .message { gap: 0; } }\n'})
    assert (problem.line, problem.sentence) == (1, "There is no static/lost.css.")


def test_a_filter_that_is_not_known_is_reported(checked: Write):
    text = '{% extends "default/rooms/show.html" %}\n{% block notices %}\n{{ room.name|agoo }}{% endblock %}\n'
    (problem,) = checked({"templates/rooms/show.html": text})
    assert (problem.line, problem.sentence) == (3, "No filter named 'agoo'.")


def test_a_file_that_is_no_text_is_named(checked: Write, tmp_path: Path):
    (tmp_path / "mine/templates/messages").mkdir(parents=True)
    (tmp_path / "mine/templates/messages/_message.html").write_bytes("caf\xe9".encode("latin-1"))
    (tmp_path / "mine/templates/messages/.DS_Store").write_bytes(b"\xff\x00")
    (problem,) = checked({})
    assert (problem.file, problem.sentence) == ("templates/messages/_message.html", "This is not UTF-8.")


def test_colours_that_can_be_read_pass(checked: Write):
    rules = ":root { --accent-text: light-dark(#333, #eee); } .message { color: #222; background: #ddd; }"
    assert checked({CSS: f"@layer theme {{ {rules} }}"}) == []


def test_a_colour_of_the_night_is_looked_at_by_night(checked: Write):
    rules = """[data-theme="dark"] .message { color: #eee; }
    [data-theme="dark"] { --text-2: #ddd; }
    @media (prefers-color-scheme: dark) { :root { --text-3: #ddd; } .message { color: #eee; } }
    @media (width < 40rem) { .message { color: #eee; } }"""
    assert checked({CSS: f"@layer theme {{ {rules} }}"}) == []
    assert checked({CSS: f"@layer theme {{ {rules.replace('dark', 'light')} }}"})


def test_a_block_that_is_not_there_is_found(checked: Write):
    text = '{% extends "default/accounts/sign_in.html" %}\n{% block crad %}x{% endblock %}\n'
    (problem,) = checked({"templates/accounts/sign_in.html": text})
    assert problem == Problem(
        "templates/accounts/sign_in.html",
        2,
        "accounts/sign_in.html has no block crad, so this is never shown.",
        "Is it card?",
    )


def test_a_template_that_nothing_shows_is_found(checked: Write):
    (problem,) = checked({"templates/messages/_mesage.html": "x"})
    assert "Nothing shows this template" in problem.sentence
    assert problem.remedy == "Is it messages/_message.html?"


def test_a_part_of_the_themes_own_is_fine(checked: Write):
    page = (
        '{% extends "default/accounts/sign_in.html" %}{% block card %}{{ super() }}{% include "accounts/_motto.html" %}'
    )
    files = {"accounts/sign_in.html": page + "{% endblock %}", "accounts/_motto.html": "<p>Mind the rocks.</p>"}
    assert checked({f"templates/{name}": text for name, text in files.items()}) == []


def test_what_extends_itself_is_found(checked: Write):
    (problem,) = checked({"templates/accounts/sign_in.html": '{% extends "accounts/sign_in.html" %}'})
    assert problem.remedy == "Write default/accounts/sign_in.html for ours."


def test_a_template_for_one_kind_of_room_is_checked_as_that_of_all(checked: Write):
    text = SHIPPED.replace(' data-seq="{{ message.seq }}"', "")
    (problem,) = checked({"templates/messages/_message-direct.html": text})
    assert problem.file == "templates/messages/_message-direct.html"
    assert "lacks [data-seq]" in problem.sentence


def test_a_kind_that_is_none_is_found(checked: Write):
    (problem,) = checked({"templates/messages/_message-dirct.html": SHIPPED})
    assert "dirct is neither a room's id nor a kind of room" in problem.sentence
    assert problem.remedy == "Is it direct?"


def test_mail_may_say_how_it_looks(checked: Write):
    shipped = (ROOT / "templates/mail/welcome.html").read_text()
    assert checked({"templates/mail/welcome.html": shipped.replace("<p", '<p style="margin: 0"', 1)}) == []


def test_a_layout_is_checked_where_it_is_seen(checked: Write):
    shipped = (ROOT / "templates/layouts/bare.html").read_text()
    assert checked({"templates/layouts/bare.html": shipped}) == []
    (problem,) = checked({"templates/layouts/bare.html": shipped.replace("layout.site_name", "layout.site_nam")})
    assert "no attribute 'site_nam'" in problem.sentence
    assert "Is it site_name?" in problem.remedy


@pytest.mark.smoke
def test_what_is_shipped_has_no_fault_of_its_own(app: Flask):
    """But for what has another way without script."""
    with app.app_context():
        renderer = Renderer(app, None)
        for name in (
            "rooms/show.html",
            "messages/_message.html",
            "accounts/profile.html",
            "rooms/index.html",
            "staff/person.html",
        ):
            template = renderer.headers[name]
            for given in renderer.states(template).values():
                found = {each.sentence for each in faults(parse(renderer.render(name, template, *given)))}
                assert {each for each in found if "without script" not in each} <= set(), name


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<p id="a"></p><template><p id="a"></p></template>', None),
        ('<template><p id="a"></p></template><template><p id="a"></p></template>', None),
        ('<template><p id="a"></p><template><p id="a"></p></template></template>', None),
        ('<template><p id="a"></p><p id="a"></p></template>', "the only one with this id"),
        ("<template><button></button></template>", "has no name"),
        ("<template><div><template><input></template></div></template>", "has no label"),
        ('<template><label for="b">B</label><input id="b"></template>', None),
        ("<template><img></template>", "no alternative text"),
        ('<template><i style="color: red"></i></template>', "the attribute style"),
        ('<template><img src="https://example.org/a.png" alt=""></template>', "another host"),
        ('<template><p data-written="">x</p></template>', "as a piece of the page"),
        ('<template><form method="post"></form></template>', None),
        ('<template><a hx-get="/x">x</a></template>', None),
    ],
)
def test_each_template_is_a_tree_of_its_own(html: str, said: str | None):
    """On every Python: versions of soupsieve differ in whether they look into one."""
    found = {each.sentence for each in faults(parse(html))}
    assert len(found) == (said is not None), found
    assert said is None or said in found.pop()
