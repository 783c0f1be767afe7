"""Arrays whose elements their type cannot hold, judged from whole columns at once.

The elements of all arrays of a block are made one column, which the check of their type judges.
What it refuses, and what is written in a rarer way, is taken apart array by array. Where there is
doubt an array passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from forensics.evidence import holding
from forensics.evidence.columns import Check, Fields, kinds_of
from forensics.evidence.fields import encode_field

_PADDING = bytes(256)  # fields are looked at some bytes further than they go
_OPENS, _LINE_FEED = 0x7B, 10
_EMPTY = len("{}")
_LONGEST = 1 << 20  # bytes of an array that is taken apart by itself
_JUDGED = re.compile(
    r"(?:smallint|integer|bigint|oid|numeric(?:\(\d+,-?\d+\))?|real|double precision|boolean|uuid"
    r"|date|timestamp(?:\(\d\))? with(?:out)? time zone)\[\]\Z"
)
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^{},"\s][^{},"]*)', re.S)
_NOTHING = re.compile(r"[{,]\s*,|,\s*\}")


def check_of(
    type_name: str, labels: Mapping[str, Sequence[str]], *, as_written: bool
) -> Check | None:
    """Return what `holding.check_of` does; of arrays, what tells their elements, too.

    Args:
        type_name, labels, as_written: as there.
    """
    found = holding.check_of(type_name, labels, as_written=as_written)
    if not found or not _JUDGED.match(type_name):
        return found
    element = holding.check_of(type_name.removesuffix("[]"), labels, as_written=as_written)
    if element is None:
        return found
    return _arrays(found, element)


def _arrays(shape: Check, element: Check) -> Check:
    def check(fields: Fields) -> np.ndarray:
        unshaped = shape(fields)
        plain = (fields.byte(0) == _OPENS) & (fields.lengths > _EMPTY)
        if b"\\" in fields.text:
            plain &= fields.count(b"\\") == 0
        sure = plain | (fields.lengths <= _EMPTY) | (fields.lengths > _LONGEST)
        places = np.flatnonzero(plain)
        if len(places):
            sure[places[_doubtful(fields.joined(places), element)]] = False
        unheld = fields.unless(sure, lambda value: _holds(value, element))
        return np.union1d(unshaped, unheld).astype(np.int64)

    return check


def _doubtful(text: bytes, element: Check) -> np.ndarray:
    """Which of some arrays have an element that is refused as it stands, by number."""
    text = text.replace(b"\t", b"\n").translate(None, b'{}"').replace(b"NULL", b"\\N")
    feeds = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _LINE_FEED)
    fields = _column(text.replace(b",", b"\n"))
    found: np.ndarray = np.unique(np.searchsorted(feeds, fields.starts[element(fields)]))
    return found


def _column(text: bytes) -> Fields:
    """One column of fields, each with a line feed behind it."""
    borders = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _LINE_FEED)
    starts = np.concatenate(([0], borders[:-1] + 1))
    data = np.frombuffer(text + _PADDING, dtype=np.uint8)
    return Fields(text, data, starts, borders - starts, partial(kinds_of, text, starts))


def _holds(value: str, element: Check) -> bool:
    """Whether an array may be read; True where that is not sure."""
    if value.startswith("["):
        value = value.partition("=")[2]
    if '"' not in value and _NOTHING.search(value):
        return False
    written = "".join(f"{encode_field(one)}\n" for one in _elements(value))
    return not written or not len(element(_column(written.encode("utf-8"))))


def _elements(value: str) -> Iterable[str]:
    """The elements of an array that are not NULL."""
    for found in _ELEMENT.finditer(value):
        quoted, bare = found.groups()
        if quoted is not None:
            yield re.sub(r"\\(.)", r"\1", quoted, flags=re.S)
        elif bare.strip().lower() != "null":
            yield bare.strip()
