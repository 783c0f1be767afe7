"""Markdown's words: values in it are text and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from forensics.text import visible

# What may stand between backticks in a cell, as it is.
_PLAIN = re.compile(r"[^`|\\<>&\s](?:[^`|\\<>&\x00-\x1f]*[^`|\\<>&\s])?\Z")
_SPECIAL = re.compile(
    r"([\\`*\[\]|~$@]"  # markup, mathematics, mentions and addresses
    r"|(?<![^\W_])_|_(?![^\W_])"  # not within a word, where it is a letter
    r"|:(?=//|[a-z+\-][\w+\-]*:)|(?<=www)\.|#(?=\d)"  # links, little pictures, issues
    r"|\{(?=[{%])"
    r"|\A[-+=#](?=[-+=# ]|\Z)"  # lists and headings, where a line begins
    r"|(?<=\A\d)[.)](?=\s)|(?<=\A\d\d)[.)](?=\s))",
    re.I,
)


def text(value: object) -> str:
    """A value as Markdown text, shown as it is, whatever it holds.

    It is never markup, HTML, a cell's end or a terminal's command. What needs no escape has none.
    """
    said = visible(value).replace("&", "&amp;")
    said = said.replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", said)


def code(value: object) -> str:
    """A name, a key or a statement as code where it can be, and as text otherwise."""
    said = str(value)
    if said == visible(said) and _PLAIN.match(said):
        return f"`{said}`"
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
