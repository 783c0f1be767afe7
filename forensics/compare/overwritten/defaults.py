"""The value of a default that is a constant."""

from __future__ import annotations

import re

from forensics.model import Column

_QUOTED = re.compile(r"\s*'((?:[^']|'')*)'\s*(?:::[^()']+(?:\([\d, ]+\))?(?:\[\])?)?\s*\Z")
_NUMBER = re.compile(r"\s*\(?(-?\d+(?:\.\d+)?)\)?\s*(?:::[\w ]+)?\s*\Z")
_TRUTHS = {"true": "t", "false": "f"}


def constant_default(column: Column) -> str | None:
    """The text of the value that a column has by default; None where it is worked out."""
    text = column.default
    if not text:
        return None
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    for pattern in (_QUOTED, _NUMBER):
        found = pattern.match(text)
        if found:
            return found[1].replace("''", "'")
    return None
