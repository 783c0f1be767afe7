"""Arrow arrays of Python's texts and numbers, laid out by hand.

`pa.array` does the same and imports pandas, which takes longer than comparing a small database.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

_WIDTHS = {pa.string(): np.int32, pa.large_string(): np.int64}


def texts(values: Sequence[str], kind: pa.DataType | None = None) -> pa.Array:
    """Return texts, none of them NULL.

    Args:
        kind: `string` or `large_string`, which is what None stands for.
    """
    kind = kind or pa.large_string()
    written = [value.encode("utf-8") for value in values]
    ends = np.zeros(len(written) + 1, dtype=_WIDTHS[kind])
    np.cumsum([len(text) for text in written], out=ends[1:])
    data = pa.py_buffer(b"".join(written))
    return pa.Array.from_buffers(kind, len(written), [None, pa.py_buffer(ends), data])


def values(found: Sequence[str | None]) -> pa.Array:
    """Return texts of kind `string`, some of which may be NULL."""
    filled = texts([text or "" for text in found], pa.string())
    there = np.array([text is not None for text in found], dtype=bool)
    if there.all():
        return filled
    bits = pa.py_buffer(np.packbits(there, bitorder="little"))
    return pa.Array.from_buffers(pa.string(), len(found), [bits, *filled.buffers()[1:]])


def numbers(values: Sequence[int] | np.ndarray) -> pa.Array:
    """Return whole numbers of 64 bits, none of them NULL."""
    found = np.ascontiguousarray(values, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(found), [None, pa.py_buffer(found)])


def text(value: str, kind: pa.DataType | None = None) -> pa.Scalar:
    """Return one text, for a comparison with a column of them."""
    return texts([value], kind)[0]


def number(value: int) -> pa.Scalar:
    """Return one whole number of 64 bits."""
    return numbers([value])[0]
