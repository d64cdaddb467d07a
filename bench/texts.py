"""Measures the time from the text of a message to its HTML: for usual texts, and the worst of 10,000 characters.

All of it runs on the event loop, so nothing may take long: 10 ms at the most.
"""

from __future__ import annotations

import statistics
import time

from chat.messages import body

_LONG = 10_000
USUAL = {
    "a plain line": "ok thanks, see you at 14:00 then",
    "bold and a link": "Lift starts at **14:00** sharp, see https://example.org/tide?day=2",
    "a plain text of 1,000 characters": "Tide is out until 17:20. " * 40,
    "a program of 9,600 characters": "```\n" + "f(a[0], *b)\n" * 800 + "```",
}
WORST = {
    r"`\n\n&`": "\n\n&", r"`\na@`": "\na@", r"`\n\n(`": "\n\n(", r"`\`": "\\", "`&`": "&", r"`a\n`": "a\n", "`[`": "[",
    "`[a](`": "[a](", "`*a `": "*a ", "`_a_ `": "_a_ ", "backticks": "`", "`> `": "> ", r"`> a\nb\n`": "> a\nb\n",
    "`- `": "- ", r"`- a\n`": "- a\n", r"`1. a\n`": "1. a\n", "`http://x.co `": "http://x.co ", "`a@b.co `": "a@b.co ",
    "`www.`": "www.", "fences": "```\na\n", "`*!`": "*!", "`(`": "(", "spaces": " ", "`é`": "é",
}  # fmt: skip
#: Marks that are just few enough to be worked on, before a long rest.
FEW = {
    "`*a* `": "*a* ", "a quote in five quotes": "> > > > > > a\n", "`[a](https://b.co) `": "[a](https://b.co) ",
    "`https://a.co `": "https://a.co ",
}  # fmt: skip


def run() -> str:
    """Return a table: each text, and the milliseconds that one rendering takes, without what is remembered."""
    texts = USUAL | {name: (piece * _LONG)[:_LONG] for name, piece in WORST.items()}
    for name, piece in FEW.items():
        number = body._MOST_MARKS // body._marks(piece) - 1
        texts[f"{name} × {number}, then a word"] = (piece * number + "x" * _LONG)[:_LONG]
    rows = [(name, _taken(text)) for name, text in texts.items()]
    lines = [f"| {name} | {1000 * median:.2f} | {1000 * most:.2f} |" for name, (median, most) in rows]
    return "\n".join(["| 10,000 characters, or as it says | p50 ms | most |", "| --- | --- | --- |", *lines]) + "\n"


def _taken(text: str) -> tuple[float, float]:
    taken = []
    for _ in range(15):
        body.forget()
        started = time.process_time()
        body.to_html(text)
        taken.append(time.process_time() - started)
    return statistics.median(taken), max(taken)
