"""Values within a value: the elements of an array, the attributes of a composite type, the bounds of a range.

Only what is asked for is changed, in its place: a text in a composite that looks like an instant stays a text. What
PostgreSQL itself wrote is read and written again by its own rules of quoting. Source: the PostgreSQL manual, "Array Input
and Output Syntax", "Composite Type Input and Output Syntax", "Range Types: Input/Output".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Change = Callable[[str], str]  # of the text of one value that is not NULL

_BLANKS = " \t\n\r\v\f"
_DIMENSIONS = re.compile(r"(?:\[-?\d+:-?\d+\])+=")
_ARRAY_SPECIAL = re.compile(r'["\\{}' + _BLANKS + "]")
_RECORD_SPECIAL = re.compile(r'["\\(),' + _BLANKS + "]")
_BOUND_SPECIAL = re.compile(r'["\\()\[\],' + _BLANKS + "]")
_DOUBLED = re.compile(r'(["\\])')
_QUOTED = r'"(?:[^"\\]|\\.|"")*+"'
_RECORD_FIELD = re.compile(rf"({_QUOTED}|[^,()\"]*+)([,)])", re.S)
_BOUND = re.compile(rf"({_QUOTED}|[^,()\[\]\"]*+)", re.S)
_IN_QUOTES = re.compile(r'\\(.)|""', re.S)


class _UnexpectedError(Exception):
    """The text is none that PostgreSQL writes for such a type."""


def array(change: Change, delimiter: str = ",") -> Change:
    """Return what changes every element of an array, of however many dimensions, that is not NULL."""
    element = re.compile(rf'("(?:[^"\\]|\\.)*+"|[^{{}}"{re.escape(delimiter)}]++)', re.S)
    special = re.compile(_ARRAY_SPECIAL.pattern + "|" + re.escape(delimiter))

    def one(match: re.Match[str]) -> str:
        text = match[1]
        if text == "NULL":
            return text
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.S)
        text = change(text)
        if not text or text.upper() == "NULL" or special.search(text):
            return '"' + _DOUBLED.sub(r"\\\1", text) + '"'
        return text

    def changed(text: str) -> str:
        dimensions = _DIMENSIONS.match(text)
        at = dimensions.end() if dimensions else 0
        return text[:at] + element.sub(one, text[at:])

    return changed


def composite(changes: Sequence[Change | None]) -> Change:
    """Return what changes the attributes of a composite value for which there is a change, in the type's order."""

    def changed(text: str) -> str:
        fields: list[str] = []
        at, closed = 1, False
        while not closed and (match := _RECORD_FIELD.match(text, at)):
            fields.append(match[1])
            at, closed = match.end(), match[2] == ")"
        if not closed or at != len(text) or len(fields) != len(changes):
            return text
        written = (
            _quoted_again(f, c, _RECORD_SPECIAL) for f, c in zip(fields, changes, strict=True)
        )
        return f"({','.join(written)})"

    return changed


def ranges(change: Change) -> Change:
    """Return what changes the bounds of a range, or of every range of a multirange."""

    def one(text: str, at: int) -> tuple[str, int]:
        lower = _BOUND.match(text, at + 1)
        upper = (
            _BOUND.match(text, lower.end() + 1)
            if lower and text[lower.end() : lower.end() + 1] == ","
            else None
        )
        if (
            not lower
            or not upper
            or text[at : at + 1] not in ("[", "(")
            or text[upper.end() : upper.end() + 1] not in ("]", ")")
        ):
            raise _UnexpectedError
        bounds = ",".join(_quoted_again(b[1], change, _BOUND_SPECIAL) for b in (lower, upper))
        return f"{text[at]}{bounds}{text[upper.end()]}", upper.end() + 1

    def changed(text: str) -> str:
        if text in ("empty", "{}"):
            return text
        several = text.startswith("{")
        found, at, end = [], int(several), len(text) - int(several)
        try:
            while at < end:
                written, at = one(text, at)
                found.append(written)
                at += text[at : at + 1] == ","
        except _UnexpectedError:
            return text
        return "{" + ",".join(found) + "}" if several else "".join(found)

    return changed


def _quoted_again(field: str, change: Change | None, special: re.Pattern[str]) -> str:
    """A field of a composite or a bound of a range, changed; one that is empty is NULL or infinite, and stays so."""
    if change is None or not field:
        return field
    text = _IN_QUOTES.sub(lambda m: m[1] or '"', field[1:-1]) if field.startswith('"') else field
    text = change(text)
    return '"' + _DOUBLED.sub(r"\1\1", text) + '"' if not text or special.search(text) else text
