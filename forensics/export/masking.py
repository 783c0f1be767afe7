"""SQL without what stands in it as text, so that words can be looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forensics.evidence.plain import lexer

_TEXT = re.compile(
    r"""--[^\n]*|/\*.*?\*/|(?<![A-Za-z0-9_$])[eE]'(?:[^'\\]|\\.)*'|'[^']*'|"[^"]*\""""
    r"""|(?<![A-Za-z0-9_$])\$([A-Za-z_]\w*)?\$.*?\$(?(1)\1)\$""",
    re.S,
)
_WITHIN = re.compile(r"[^\n]")


def masked(sql: str) -> str:
    """Return SQL in which texts, names in quotes and comments are blanked, each place as it was."""
    return _TEXT.sub(_blank, sql)


def _blank(found: re.Match[str]) -> str:
    text = found[0]
    if text[0] in "'\"" and len(text) > 1:
        return text[0] + _WITHIN.sub("x", text[1:-1]) + text[-1]
    return _WITHIN.sub(" ", text)


def closing(mask: str, opening: int) -> int | None:
    """Return where the parenthesis ends that opens at a place of masked SQL."""
    level = 0
    for place in range(opening, len(mask)):
        if mask[place] == "(":
            level += 1
        elif mask[place] == ")":
            level -= 1
            if level == 0:
                return place
    return None


def statements(sql: str) -> Iterator[str]:
    """Yield the statements of a text, each with the blanks and comments before it."""
    data = sql.encode("utf-8", "surrogateescape")
    at = 0
    while at < len(data):
        begins = at
        begins = _BEFORE.match(data, begins).end()  # type: ignore[union-attr]
        end = lexer.statement_end(data, begins)
        if end is None:
            end = len(data)
        yield data[at:end].decode("utf-8", "surrogateescape")
        at = end


_BEFORE = re.compile(rb"(?:\s|--[^\n]*\n)*")
