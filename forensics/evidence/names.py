"""Names as SQL text writes them: quoted or not, qualified or not, one or a list of them."""

from __future__ import annotations

import re

_IN_A_LIST = re.compile(r'"(?:[^"]|"")*"|[^\s,]+')
_WRITTEN = re.compile(r'"(?:[^"]|"")*"|[^.\s]+')
_PRINTED = re.compile(r'"(?:[^"]|"")*"|[^.]+')


def unquoted(name: str) -> str:
    """Return a name without its quotes, if it has any; its case is not touched."""
    if name.startswith('"'):
        return name[1:-1].replace('""', '"')
    return name


def known_columns(text: str) -> list[str]:
    """Return the names in a COPY or INSERT statement's column list, as between its parentheses."""
    return [unquoted(name) for name in _IN_A_LIST.findall(text)]


def split_qualified(text: str) -> list[str]:
    """Return the parts of a qualified name as PostgreSQL prints it, their quotes taken off."""
    return [unquoted(part) for part in _PRINTED.findall(text)]


def folded_parts(text: str) -> list[str]:
    """Return the parts of a name that somebody wrote: what is not quoted is in lower case."""
    parts = []
    for part in _WRITTEN.findall(text):
        if part.startswith('"'):
            parts.append(unquoted(part))
        else:
            parts.append(part.lower())
    return parts
