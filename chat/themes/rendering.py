"""Rendering templates from their samples: without a database, a request or anybody who looks."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import Environment
from jinja2.ext import Extension
from markupsafe import Markup

from chat.themes import headers, samples
from chat.themes.headers import Template
from chat.web.templating import Layout, loader

#: The attribute that says from which line of which file of a theme an element is.
SOURCE = "data-source"
_TAGS = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|(<[a-zA-Z][\w-]*)", re.DOTALL)


class _Marked(Extension):
    """Has each element of a theme's templates say from which line it is. Takes the place of what strips indentation."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the source of a template with an attribute in each tag."""
        theme: Path | None = self.environment.theme  # type: ignore[attr-defined]
        if theme is None or not filename or not Path(filename).is_relative_to(theme):
            return source
        file = Path(filename).relative_to(theme).as_posix()

        def mark(match: re.Match[str]) -> str:
            if not match[1]:
                return match[0]
            return f'{match[1]} {SOURCE}="{file}:{source.count(chr(10), 0, match.start()) + 1}"'

        return _TAGS.sub(mark, source)


class Renderer:
    """Renders templates as one theme has them, or as they are shipped.

    :param theme: the folder of the theme; None for ours.
    """

    def __init__(self, app: Flask, theme: Path | None) -> None:
        self.theme = theme
        self.shipped = Path(app.root_path) / "templates"
        self.headers = headers.read_all(self.shipped)
        self.environment: Environment = app.jinja_env.overlay(
            loader=loader(self.shipped, theme and theme / "templates")
        )
        self.environment.theme = theme  # type: ignore[attr-defined]
        self.environment.extensions = {}
        self.environment.add_extension(_Marked)
        self.environment.globals = app.jinja_env.globals | {
            "for_room": lambda name, room_id: name,
            "kept": self._part,
            "kept_whole": self._part,
        }

    def render(self, name: str, template: Template, given: dict[str, Any], layout: dict[str, Any]) -> str:
        """Return a template as HTML.

        :param name: the one to render, which may be one that a theme has for a kind of room.
        :param template: what says what it is given.
        """
        more: dict[str, Any] = {} if template.is_broadcast else {"layout": Layout(layout), "plain": False}
        return self.environment.get_template(name).render(given, **more)

    def template(self, name: str) -> Template | None:
        """Return what is said of a template, or of the one in whose place it stands for some rooms; None for neither."""
        stem, dot, suffix = name.rpartition(".")
        return self.headers.get(name) or self.headers.get(stem.rpartition("-")[0] + dot + suffix)

    def states(self, template: Template) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """Return what a template may be given and what its layout knows, by the name of the state."""
        return {state: (given, samples.layout(template, state)) for state, given in samples.states(template).items()}

    def _part(self, name: str, **values: Hashable) -> Markup:
        return Markup(self.environment.get_template(name).render(values))  # noqa: S704 - templates escape
