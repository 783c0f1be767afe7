"""COPY text ↔ Arrow, and nothing else: lines and fields as arrays, no value interpreted.

`blocks` cuts lines from a stream, `fields` says what a single field means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.errors import BackupError
from forensics.evidence import arrays
from forensics.evidence.blocks import BLOCK_BYTES, Block, read_blocks
from forensics.evidence.fields import ESCAPES, NULL, decode_field, encode_field
from forensics.evidence.names import known_columns

__all__ = [
    "BLOCK_BYTES",
    "LINES",
    "NULL",
    "decode_field",
    "encode_field",
    "escaped",
    "field_columns",
    "known_columns",
    "line_batches",
    "read_blocks",
]

LINES = pa.schema([("position", pa.int64()), ("line", pa.large_string())])

_LINE_FEED = 10


def escaped(values: pa.Array) -> pa.Array:
    """Return texts with COPY's escapes; NULL stays NULL."""
    for meant, written in ESCAPES.items():
        if pc.any(pc.match_substring(values, meant)).as_py():
            values = pc.replace_substring(values, meant, written)
    return values


def line_batches(blocks: Iterable[Block], start: int = 0) -> Iterator[pa.RecordBatch]:
    """Yield (position, line) batches over blocks, without copying them.

    Args:
        blocks: blocks of whole lines.
        start: the position of the first byte.

    Returns:
        Batches of schema `LINES`. `position` is the offset of the line's first byte in the
        stream of blocks, by which `Segment.lines_at` finds it again. `line` holds the line
        feed at its end.

    Raises:
        BackupError: the bytes are no UTF-8.
    """
    for block in blocks:
        data = np.frombuffer(block, dtype=np.uint8)
        offsets = _line_offsets(data)
        lines = pa.LargeStringArray.from_buffers(
            len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(block)
        )
        end = start + len(data)
        try:
            lines.validate(full=True)
        except pa.ArrowInvalid as error:
            raise BackupError(
                f"Bytes that are no UTF-8 stand between positions {start} and {end}"
                " of a table's rows.",
                "The file is corrupt, or its SET client_encoding is wrong.",
            ) from error
        positions = arrays.numbers(offsets[:-1] + start)
        yield pa.record_batch([positions, lines], schema=LINES)
        start = end


def _line_offsets(data: np.ndarray) -> np.ndarray:
    """Where each line begins, and where the last one ends."""
    feeds = np.flatnonzero(data == _LINE_FEED)
    offsets = np.empty(len(feeds) + 1, dtype=np.int64)
    offsets[0] = 0
    offsets[1:] = feeds
    offsets[1:] += 1
    return offsets


def field_columns(lines: pa.Array, width: int) -> list[pa.Array]:
    """Split lines (with or without a line feed) into `width` arrays of fields as COPY wrote them.

    Raises:
        BackupError: a line has another number of fields.
    """
    import pyarrow.compute as pc

    if width == 0:
        return []
    parts = pc.split_pattern(pc.utf8_rtrim(lines, "\n"), "\t")
    fits = pc.equal(pc.list_value_length(parts), arrays.number(width))
    if len(parts) and not pc.all(fits).as_py():
        raise BackupError(
            f"A row of COPY text has another number of fields than its table's {width} columns.",
            "The file is corrupt, or was edited.",
        )
    return [pc.list_element(parts, arrays.number(place)) for place in range(width)]
