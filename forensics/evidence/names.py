"""Names as SQL text writes them: quoted or not, qualified or not, one or a list of them."""

from __future__ import annotations

import re
from string import ascii_uppercase

_IN_A_LIST = re.compile(r'"(?:[^"]|"")*"|[^\s,]+')
_WRITTEN = re.compile(r'"(?:[^"]|"")*"|[^.\s]+')
_LOWER = {ord(letter): letter.lower() for letter in ascii_uppercase}
_PRINTED = re.compile(r'"(?:[^"]|"")*"|[^.]+')


def unquoted(name: str) -> str:
    """Return a name without its quotes, if it has any; its case is not touched."""
    if name.startswith('"'):
        return name[1:-1].replace('""', '"')
    return name


def folded(name: str) -> str:
    """Return the name that somebody wrote: what is not quoted is in lower case.

    Servers fold the letters of ASCII only, wherever a character may have several bytes.
    """
    if name.startswith('"'):
        return unquoted(name)
    return name.translate(_LOWER)


def known_columns(text: str) -> list[str]:
    """Return the names in a COPY or INSERT statement's column list, as between its parentheses."""
    return list(map(folded, _IN_A_LIST.findall(text)))


def split_qualified(text: str) -> list[str]:
    """Return the parts of a qualified name as PostgreSQL prints it, their quotes taken off."""
    return [unquoted(part) for part in _PRINTED.findall(text)]


def folded_parts(text: str) -> list[str]:
    """Return the parts of a name that somebody wrote: what is not quoted is in lower case."""
    return list(map(folded, _WRITTEN.findall(text)))
