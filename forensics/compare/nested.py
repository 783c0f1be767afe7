"""Values within a value: elements of an array, attributes of a composite, bounds of a range.

Only what is asked for is changed, in its place: a text in a composite that looks like
an instant stays a text. What PostgreSQL itself wrote is read and written again by its
own rules of quoting. Source: the PostgreSQL manual, "Array Input and Output Syntax",
"Composite Type Input and Output Syntax", "Range Types: Input/Output".
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
_RANGE = re.compile(
    rf"(?P<opens>[\[(])(?P<lower>{_QUOTED}|[^,()\[\]\"]*+)"
    rf",(?P<upper>{_QUOTED}|[^,()\[\]\"]*+)(?P<closes>[\])]),?",
    re.S,
)
_IN_QUOTES = re.compile(r'\\(.)|""', re.S)


def array(change: Change, delimiter: str = ",") -> Change:
    """Return what changes every element of an array that is not NULL, in any dimension."""
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
        if dimensions is None:
            return element.sub(one, text)
        return dimensions[0] + element.sub(one, text[dimensions.end() :])

    return changed


def composite(changes: Sequence[Change | None]) -> Change:
    """Return what changes the attributes of a composite value.

    Args:
        changes: in the type's order; None for attributes that stay as they are.
    """

    def changed(text: str) -> str:
        fields = _record_fields(text)
        if len(fields) != len(changes):
            return text
        written = []
        for field, change in zip(fields, changes, strict=True):
            written.append(_quoted_again(field, change, _RECORD_SPECIAL))
        return f"({','.join(written)})"

    return changed


def _record_fields(text: str) -> list[str]:
    """The fields of a composite value as they are written, or none where it is no such value."""
    fields: list[str] = []
    at = 1
    while match := _RECORD_FIELD.match(text, at):
        fields.append(match[1])
        at = match.end()
        if match[2] == ")":
            break
    closed = at == len(text) and text.endswith(")")
    return fields if closed else []


def ranges(change: Change) -> Change:
    """Return what changes the bounds of a range, or of every range of a multirange."""

    def one(found: re.Match[str]) -> str:
        lower = _quoted_again(found["lower"], change, _BOUND_SPECIAL)
        upper = _quoted_again(found["upper"], change, _BOUND_SPECIAL)
        return f"{found['opens']}{lower},{upper}{found['closes']}"

    def changed(text: str) -> str:
        if text in ("empty", "{}"):
            return text
        several = text.startswith("{")
        at, end = int(several), len(text) - int(several)
        written = []
        while at < end:
            found = _RANGE.match(text, at)
            if found is None:
                return text  # none that PostgreSQL writes
            written.append(one(found))
            at = found.end()
        listed = ",".join(written)
        return "{" + listed + "}" if several else listed

    return changed


def _quoted_again(field: str, change: Change | None, special: re.Pattern[str]) -> str:
    """A field of a composite or a bound of a range, changed.

    One that is empty is NULL or infinite, and stays so.
    """
    if change is None or not field:
        return field
    text = field
    if field.startswith('"'):
        text = _IN_QUOTES.sub(lambda found: found[1] or '"', field[1:-1])
    text = change(text)
    if not text or special.search(text):
        return '"' + _DOUBLED.sub(r"\1\1", text) + '"'
    return text
