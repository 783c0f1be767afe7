"""Escapes of COPY text as people and other programs write them, brought to PostgreSQL's own.

PostgreSQL reads octal, hexadecimal and needless escapes, and never writes them.
"""

from __future__ import annotations

import re

import numpy as np

from forensics.evidence.fields import LETTERS

_BACKSLASH = 0x5C
_ESCAPE = re.compile(rb"\\(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.S)
_KEPT = b"\\bfnrtv"
_OCTAL = b"01234567"

# What the byte after a backslash may be in text that PostgreSQL wrote.
_WRITTEN = np.zeros(256, dtype=bool)
_WRITTEN[np.frombuffer(_KEPT + b"N", dtype=np.uint8)] = True

_SPELLED = {_BACKSLASH: b"\\\\"}
for _letter, _meant in LETTERS.items():
    _SPELLED[ord(_meant)] = b"\\" + _letter.encode()


def has_odd_escapes(block: bytes) -> bool:
    """Whether COPY text holds escapes that PostgreSQL reads and never writes."""
    if b"\\" not in block:
        return False
    data = np.frombuffer(block, dtype=np.uint8)
    found = np.flatnonzero(data[:-1] == _BACKSLASH)
    if _WRITTEN[data[found + 1]].all():
        return False
    # Of a run of backslashes every other one begins an escape.
    place = np.arange(len(found))
    begins = np.concatenate(([True], np.diff(found) > 1))
    first = np.maximum.accumulate(np.where(begins, place, 0))
    escapes = found[(place - first) % 2 == 0]
    return not _WRITTEN[data[escapes + 1]].all()


def rewrite_escapes(block: bytes, delimiter: bytes = b"\t") -> bytes:
    """Return COPY text with every escape as PostgreSQL writes it.

    Args:
        block: whole lines, in the encoding of the file, which extends ASCII: octal and
            hexadecimal escapes mean bytes of it.
        delimiter: what separates fields; an escaped one stays escaped.
    """
    edges = delimiter + b"\n"

    def rewrite(match: re.Match[bytes]) -> bytes:
        body = match[0][1:]
        if body == b"N":
            if _stands_alone(match, edges):
                return match[0]
            return body  # within a field it is a plain N
        if body in _KEPT or body == delimiter != b"\t":
            return match[0]
        byte = _byte(body)
        return _SPELLED.get(byte, bytes((byte,)))

    return _ESCAPE.sub(rewrite, block)


def _stands_alone(match: re.Match[bytes], edges: bytes) -> bool:
    """Whether a match is a whole field: an edge, or the block's, is on either side of it."""
    text = match.string
    around = text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]
    return all(byte in edges for byte in around)


def _byte(body: bytes) -> int:
    """The byte that is meant by what follows a backslash."""
    if body[0] in _OCTAL:
        return int(body, 8) & 0xFF
    if len(body) > 1:
        return int(body[1:], 16)
    return body[0]
