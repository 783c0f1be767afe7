"""Markdown's words: values in it are text and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from forensics.text import visible

_PLAIN = re.compile(r"[A-Za-z0-9_.$ ]+\Z")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:@/=$^])")


def text(value: object) -> str:
    """A value as Markdown text, shown as it is, whatever it holds.

    It is never markup, HTML, a cell's end or a terminal's command.
    """
    said = visible(value).replace("&", "&amp;")
    said = said.replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", said)


def code(value: object) -> str:
    """A name as code where it is a plain one, and as text otherwise."""
    if _PLAIN.match(str(value)):
        return f"`{value}`"
    return text(value)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A table.

    Args:
        head: its columns' names.
        rows: its cells, Markdown already.
        words: how many of its columns, the first ones, hold words; the others hold numbers.
    """
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    lines = []
    for cells in (head, rule, *rows):
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def bullets(items: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {item}" for item in items)
