"""COPY's text format, and nothing else: lines ↔ Arrow, fields ↔ values.

Source of the format: the PostgreSQL manual, COPY, "File Formats", "Text Format". A field never holds a raw tab or
line feed (they are written \\t and \\n), so a line is a row and a tab is a border. NULL is the two characters \\N;
a value that is a backslash and an N is written \\\\N. That makes every row's text unambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from forensics.errors import BackupError
from forensics.evidence.source import Block

BLOCK_BYTES = 1 << 20
NULL = "\\N"

_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.S)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
)


def _unescape_one(match: re.Match[str]) -> str:
    body = match[1]
    if body[0] in "01234567":
        return chr(int(body, 8))
    if body[0] == "x" and len(body) > 1:
        return chr(int(body[1:], 16))
    return _LETTERS.get(body, body)


def decode_field(field: str) -> str | None:
    """Return the value that COPY wrote as `field`: None for NULL."""
    return None if field == NULL else unescape(field)


def unescape(field: str) -> str:
    """Return what a field that is not NULL says, its escapes undone."""
    return _ESCAPE.sub(_unescape_one, field) if "\\" in field else field


def encode_field(value: str | None) -> str:
    """Return `value` as COPY writes it."""
    return NULL if value is None else value.translate(_ESCAPES)


# What the byte after a backslash may be in text that PostgreSQL wrote.
_WRITTEN = np.zeros(256, dtype=bool)
_WRITTEN[np.frombuffer(b"\\bfnrtvN", dtype=np.uint8)] = True
_ANY_ESCAPE = re.compile(rb"\\(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.S)
_BYTES = {ord(k): b"\\" + v.encode() for v, k in _LETTERS.items()} | {0x5C: b"\\\\"}


def has_odd_escapes(block: bytes) -> bool:
    """Whether COPY text holds escapes that PostgreSQL reads and never writes: octal, hexadecimal, needless ones."""
    if b"\\" not in block:
        return False
    data = np.frombuffer(block, dtype=np.uint8)
    found = np.flatnonzero(data[:-1] == 0x5C)
    if _WRITTEN[data[found + 1]].all():
        return False
    # Of a run of backslashes every other one begins an escape.
    place = np.arange(len(found))
    begins = np.concatenate(([True], np.diff(found) > 1))
    escapes = found[(place - np.maximum.accumulate(np.where(begins, place, 0))) % 2 == 0]
    return not _WRITTEN[data[escapes + 1]].all()


def rewrite_escapes(block: bytes, delimiter: bytes = b"\t") -> bytes:
    """Return COPY text with every escape as PostgreSQL writes it, in any encoding that extends ASCII.

    Args:
        block: whole lines, in the encoding of the file: octal and hexadecimal escapes mean bytes of it.
        delimiter: what separates fields; an escaped one stays escaped.
    """
    edges = delimiter + b"\n"

    def rewrite(match: re.Match[bytes]) -> bytes:
        body = match[0][1:]
        if body == b"N":
            around = block[match.start() - 1 : match.start()] + block[match.end() : match.end() + 1]
            return (
                match[0] if all(b in edges for b in around) else body
            )  # within a field it is a plain N
        if body in b"\\bfnrtv" or body == delimiter != b"\t":
            return match[0]
        byte = body[0]
        if byte in b"01234567":
            byte = int(body, 8) & 0xFF
        elif len(body) > 1:
            byte = int(body[1:], 16)
        return _BYTES.get(byte, bytes((byte,)))

    return _ANY_ESCAPE.sub(rewrite, block)


def read_blocks(read: Callable[[int], bytes], size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Cut a byte stream into blocks of whole lines. A last line without a line feed is yielded as it is.

    Args:
        read: returns up to n bytes, and b"" at the end.
        size: bytes to ask for at a time; a longer line makes a longer block.
    """
    rest: list[bytes] = []
    while chunk := read(size):
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest.append(chunk)
            continue
        yield b"".join((*rest, chunk[:cut])) if rest else chunk[:cut]
        rest = [chunk[cut:]] if cut < len(chunk) else []
    if last := b"".join(rest):
        yield last


LINES = pa.schema([("position", pa.int64()), ("line", pa.large_string())])


def line_batches(blocks: Iterable[Block], start: int = 0) -> Iterator[pa.RecordBatch]:
    """Yield (position, line) batches over blocks, without copying them.

    Args:
        blocks: blocks of whole lines.
        start: the position of the first byte.

    Returns:
        Batches of schema `LINES`. `position` is the offset of the line's first byte in the stream of blocks, by
        which `Segment.lines_at` finds it again. `line` holds the line feed at its end.

    Raises:
        BackupError: the bytes are no UTF-8.
    """
    for block in blocks:
        data = np.frombuffer(block, dtype=np.uint8)
        offsets = np.empty(int(np.count_nonzero(data == 10)) + 1, dtype=np.int64)
        offsets[0] = 0
        offsets[1:] = np.flatnonzero(data == 10)
        offsets[1:] += 1
        lines = pa.LargeStringArray.from_buffers(
            len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(block)
        )
        try:
            lines.validate(full=True)
        except pa.ArrowInvalid as error:
            raise BackupError(
                f"Bytes that are no UTF-8 stand between positions {start} and {start + len(data)} of a table's rows.",
                "The file is corrupt, or its SET client_encoding is wrong.",
            ) from error
        yield pa.record_batch([pa.array(offsets[:-1] + start), lines], schema=LINES)
        start += len(data)


def field_columns(lines: pa.Array, width: int) -> list[pa.Array]:
    """Split lines (with or without a line feed) into `width` arrays of fields as COPY wrote them.

    Raises:
        BackupError: a line has another number of fields.
    """
    import pyarrow.compute as pc

    lines = pc.utf8_rtrim(lines, "\n")
    if width == 0:
        return []
    parts = pc.split_pattern(lines, "\t")
    if len(parts) and not pc.all(pc.equal(pc.list_value_length(parts), width)).as_py():
        raise BackupError(
            f"A row of COPY text has another number of fields than its table's {width} columns.",
            "The file is corrupt, or was edited.",
        )
    return [pc.list_element(parts, i) for i in range(width)]


def known_columns(text: str) -> Sequence[str]:
    """Return the names in a COPY statement's column list, as between its parentheses, quotes taken off."""
    return [
        part[1:-1].replace('""', '"') if part.startswith('"') else part
        for part in re.findall(r'"(?:[^"]|"")*"|[^\s,]+', text)
    ]
