"""Fields of COPY text ↔ values.

Source of the format: the PostgreSQL manual, COPY, "File Formats", "Text Format". A field never
holds a raw tab or line feed (they are written \\t and \\n), so a line is a row and a tab is a
border. NULL is the two characters \\N; a value that is a backslash and an N is written \\\\N.
That makes every row's text unambiguous.
"""

from __future__ import annotations

import re

NULL = "\\N"

# What a backslash and a letter mean.
LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.S)
_OCTAL = "01234567"
# How COPY writes what it escapes; the backslash first, so that those of the others stay single.
ESCAPES = {
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_WRITTEN = str.maketrans(ESCAPES)


def decode_field(field: str) -> str | None:
    """Return the value that COPY wrote as `field`: None for NULL."""
    if field == NULL:
        return None
    return unescape(field)


def unescape(field: str) -> str:
    """Return what a field that is not NULL says, its escapes undone."""
    if "\\" not in field:
        return field
    return _ESCAPE.sub(_unescape_one, field)


def _unescape_one(match: re.Match[str]) -> str:
    body = match[1]
    if body[0] in _OCTAL:
        return chr(int(body, 8))
    if body[0] == "x" and len(body) > 1:
        return chr(int(body[1:], 16))
    return LETTERS.get(body, body)


def encode_field(value: str | None) -> str:
    """Return `value` as COPY writes it."""
    if value is None:
        return NULL
    return value.translate(_WRITTEN)
