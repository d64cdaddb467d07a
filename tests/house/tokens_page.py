"""``docs/tokens.md``, made of what the style sheets say of their tokens.

Run ``.venv/bin/python -m tests.house.tokens_page`` to write it again.
"""

from __future__ import annotations

from collections.abc import Iterator

from chat.look.tokens import Token, read
from tests.services import ROOT

PAGE = ROOT / "docs/tokens.md"
#: The only sheets that may say a colour.
SHEETS = ("tokens.css", "tokens-bare.css")

HEAD = """\
# Tokens

<!-- Made by tests/house/tokens_page.py. Change what the style sheets say, then run
     .venv/bin/python -m tests.house.tokens_page -->

Colours, space, type, shape and time are custom properties, set once in `static/css/tokens.css`; every other sheet names them.
The cascade layers are `reset, tokens, base, layout, components, utilities, theme`, and `theme` is the last: what is said in
it wins over all of ours, however specific ours is.

```css
@layer theme {
  :root { --accent: light-dark(oklch(0.5 0.14 300), oklch(0.78 0.1 300)); --radius-4: 0.5rem; }
}
```

`light-dark(…, …)` says both at once; `color-scheme` on the page chooses, by the device or by what somebody chose in their
profile. Text keeps 4.5:1 on the grounds it stands on, and what can be pressed 3:1: a test holds the shipped colours to it, and
[the page Look](look.md) counts it for an accent of your own. On phones `--type-4` and `--type-7` are larger, `--target` is
2.75rem under a finger; who asks for more contrast gets `--line-strong` for `--line` and `--text-2` for `--text-3`; who asks
for less motion gets 80 ms and no `--rise`.
"""


def tokens() -> list[Token]:
    """Return every token that we ship."""
    return [each for name in SHEETS for each in read((ROOT / "static/css" / name).read_text())]


def page() -> str:
    """Return the text of ``docs/tokens.md``."""
    return "\n".join([HEAD, *_tables()]).rstrip() + "\n"


def _tables() -> Iterator[str]:
    section = ""
    for each in tokens():
        if each.section != section:
            section = each.section
            yield f"\n## {section}\n\n| token | light | dark | what it is for |\n| --- | --- | --- | --- |"
        dark = f"`{each.dark}`" if each.dark != each.light else "the same"
        yield f"| `{each.name}` | `{each.light}` | {dark} | {each.what} |"


if __name__ == "__main__":
    PAGE.write_text(page())
