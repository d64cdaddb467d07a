"""Texts to lose something of: public ones, and shapes that people paste into a chat.

``blns.json`` is the Big List of Naughty Strings 1.0.0 by Max Woolf and others, as published (MIT, see ``LICENSE``).
"""

from __future__ import annotations

import json
from pathlib import Path

NAUGHTY: list[str] = json.loads((Path(__file__).parent / "blns.json").read_text(encoding="utf-8"))

_MAIL = "\n".join("> " * depth + f"what was said {depth} answers ago" for depth in range(30, 0, -1)) + "\nmy answer"
_TIGHT = "\n".join(">" * depth + f" level {depth}" for depth in range(20, 0, -1))
_DEEP = "\n".join("  " * depth + f"- item {depth}" for depth in range(12))

#: What was found to get lost, and its like.
PASTED = [
    ">" * 20 + " look here", "> " * 30 + "look here", _MAIL, _TIGHT, _DEEP, "- " * 10 + "text", "* " * 10 + "text",
    "```SELECT 1\nFROM t```", "``` first line\nsecond\n```", "```python\nprint(1)\n```", "```hello\n```", "```\n```", "``````",
    "```not closed\nat all", "before ```inside\nof it``` after", "a ```b``` c ```d``` e", "````\n```\nx\n```\n````",
    "> ```js\n> let x;\n> ```\n> - one\n> - two\nafter", "~~~\ncode\n~~~", "    indented\n        more\n    less",
    r"¯\_(ツ)_/¯", r"\\server\share\_new", r"C:\_temp\*.log", r"\*not slanted\* \`x\` \[a\](b) \\", "ends with \\", "a\\\nb",
    "2*3*4 = 24", "__init__ and __all__", "snake_case_name", "f(*args, **kwargs)", "char **argv, *p;", "/*comment*/", "*.*",
    "del *.py, foo.*", "(*) one (*) two", "**重要：**です", "これは**「重要」**です", "**중요**합니다", "資料_最終_版.docx",
    "***both***", "**a *b* c**", "*a **b* c**", "**", "****", "** **", "*", "_", "~~", "`", "``", "` `", "`` ` ``",
    "[call](tel:+4912345)", "[x](javascript:alert(1))", "[x](data:text/html,hi)", "ftp://example.com/file",
    "[a]: https://e.org 't'",
    "[https://bank.example](https://evil.example/)", '[a](https://e.org "title")', "![alt](https://e.org/p.png)", "[](https://e.org)",
    "详情见https://example.com/a，谢谢", "https://example.com/a、https://example.com/b", "«https://example.com/x»", "<https://e.org>",
    "see README.md and main.py", "I did it.So now", "https://bank.example@evil.example/", "<!-- a comment -->", "<b>bold</b>",
    "&amp; &nbsp; &lt; &#42;x&#42; &copy", "Heading\n===", "Heading\n---", "# one\n## two ##", "---", "* * *", "***", "___",
    "| a | b |\n| --- | --- |\n| 1 | 2 |", "3. three\n3. again\n7) seven", "1985. What a year", "- a\n\n\n- b",
    "-", "- ", ">", "> ",
    ">_<", ">:(", ">= 5", "a  \nb", "a\tb\t\tc", "x    =    2", "def f():\n    return 1", "   /\\_/\\\n  ( o.o )\n   > ^ <",
    "👩‍👩‍👧‍👦 👍🏽 🇨🇭 ❤️ 1️⃣", "שלום **עולם** - `קוד`", "مرحبا: *نص* https://e.org/ا", "Z" + "\u0300" * 200, "A" + "\u0489" * 100,
    "ก" + "\u0e49" * 200, "e\u0301 é ﬁ ǆ", "a\u200db\u200cc\u2060d", "\u202eabc\u202c def", "x\u00a0y\u3000z\u2003w",
    "a" * 3000, "word " * 500, "a\n" * 500, "*x* " * 450 + "[a](https://e.org)",
]  # fmt: skip
#: In the manner of the examples of CommonMark, one or two for each of its chapters.
DOCUMENTS = [
    "\tfoo\tbaz\t\tbim", "  - foo\n\n\tbar", "- foo\n\n\t\tbar", ">\t\tfoo", "-\t\tfoo", " - foo\n   - bar\n\t - baz",
    "- `one\n- two`", "+++", "--\n**\n__", " ***\n  ***\n   ***", "_ _ _ _ a", "*-*", "- foo\n***\n- bar",
    "* Foo\n* * *\n* Bar", "####### foo", "#5 bolt", "\\## foo", "# foo *bar* \\*baz\\*", "## foo ##    ",
    "Foo\n   ----      ", "`Foo\n----\n`", "> foo\nbar\n===", "    a simple\n      indented code block",
    "```\naaa\n~~~\n```", "````\naaa\n```\n``````", "> ```\n> aaa\n\nbbb", "``` ```\naaa",
    "~~~~    ruby startline=3 $%@#$\ndef foo(x)\nend\n~~~~~~~",
    "<table><tr><td>\n<pre>\n**Hello**,\n\n_world_.\n</pre>\n</td></tr></table>", "<div id=\"foo\"\n*hi*",
    "<?php\n\n  echo '>';\n\n?>\nokay", "<![CDATA[\nx < 0\n]]>", "[foo]: /url \"title\"\n\n[foo]", "[foo]: \n/url",
    "aaa\n\n\nbbb", "aaa     \nbbb     ", "  \n\naaa\n  ", "> # Foo\n> bar\n> baz", "> > > foo\nbar",
    ">>> foo\n> bar\n>>baz", ">     code", "A paragraph\nwith two lines.\n\n    indented code\n\n> A block quote.",
    "-one\n\n2.two", "10) foo\n    - bar", "123456789. ok", "-1. no", "- foo\n  - bar\n    - baz\n      - boo",
    "1. a\n\n  2. b\n\n   3. c", "* a\n*\n\n* c", "`hi`lo`", "``foo`bar``", "`foo\\`bar`", "```foo``",
    "\\!\\\"\\#\\$\\%\\&\\'\\(\\)\\*", "foo\\\nbar", "&quot; &ouml; &#X22; &hi?;", "*foo bar*", "a * foo bar*",
    "a*\"foo\"*", "foo*bar*", "5*6*78", "_foo bar_", "пристаням_стремятся_", "foo-_(bar)_", "_(bar)_.", "**foo bar**",
    "__foo bar__", "foo**bar**", "*foo**bar**baz*", "***foo** bar*", "*foo [bar](https://e.org/url)*", "foo ***",
    "foo *\\**", "**foo*", "*foo _bar* baz_", "**foo **bar baz**", "[link](/uri \"title\")", "[link](<my uri>)",
    "[a](<b)c>)", "[link](foo(and(bar)))", "[link [foo [bar]]](https://e.org/u)", "[foo`](/uri)`",
    "![foo](/url \"title\")", "<http://foo.bar.baz/test?q=hello&id=22&boolean>", "<made-up-scheme://foo,bar>",
    "<foo@bar.example.com>", "<a><bab><c2c>", "foo <!-- this is a --\ncomment - with hyphens -->", "foo  \n     bar",
    "hello $.;'there", "Multiple     spaces",
]  # fmt: skip
TEXTS = [*NAUGHTY, *PASTED, *DOCUMENTS]
