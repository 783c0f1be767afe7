"""One column's values in memory: counted, and looked through for the frequent ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.evidence import arrays
from forensics.loss.concentration.axes import Axis
from forensics.loss.concentration.conditions import Condition


class Values:
    """A column of a sample.

    Args:
        column: as `Axis` has it.
        axis: which it is.

    Attributes:
        rows: how many there are, NULL among them.
        numbers: of an ordered column its values, ascending, without NULL.
    """

    def __init__(self, column: pa.ChunkedArray, axis: Axis) -> None:
        self.rows = len(column)
        self._nulls = column.null_count
        self._ordered = axis.ordered
        there = column.combine_chunks().drop_null()
        self.numbers = np.empty(0)
        if axis.ordered:
            self.numbers = np.sort(_numbers(there))
        else:
            self._texts = there

    def frequent(self, many: int, most: int) -> list[Any]:
        """The values that so many rows have or more, None for NULL, the most frequent first."""
        found: list[tuple[int, Any]] = []
        if self._nulls >= many:
            found.append((self._nulls, None))
        if self._ordered:
            values, counts = np.unique(self.numbers, return_counts=True)
        else:
            counted = pc.value_counts(self._texts)
            values = counted.field("values")
            counts = _numbers(counted.field("counts"))
        for place in np.flatnonzero(counts >= many):
            found.append((int(counts[place]), _plain(values[int(place)])))
        found.sort(key=lambda one: (-one[0], str(one[1])))
        return [value for _, value in found[:most]]

    def count(self, condition: Condition) -> int:
        """How many rows meet a condition."""
        if condition.test == "null":
            return int(self._nulls)
        if condition.test == "not null":
            return int(self.rows - self._nulls)
        if condition.test == "equal" and not self._ordered:
            return self._count_text(condition.value)
        low, high = condition.low, condition.high
        if condition.test == "equal":
            low = high = condition.value
        start, end = 0, len(self.numbers)
        if low is not None:
            start = int(np.searchsorted(self.numbers, low, "left"))
        if high is not None:
            end = int(np.searchsorted(self.numbers, high, "right"))
        return end - start

    def _count_text(self, value: str) -> int:
        met = pc.equal(self._texts, arrays.text(value, self._texts.type))
        return int(pc.sum(met).as_py() or 0)


def columns_of(table: pa.Table, axes: Sequence[Axis]) -> list[Values]:
    """The columns v0, v1, … of a sample."""
    found = []
    for place, axis in enumerate(axes):
        found.append(Values(table.column(f"v{place}"), axis))
    return found


def _numbers(column: pa.Array) -> np.ndarray:
    """Numbers of 64 bits, none of them NULL; `to_numpy` would import pandas."""
    kind = np.float64 if pa.types.is_floating(column.type) else np.int64
    if not len(column):
        return np.empty(0, kind)
    held = np.frombuffer(column.buffers()[1], kind)
    return held[column.offset : column.offset + len(column)]


def _plain(value: Any) -> Any:
    """A value of NumPy's or Arrow's as Python's."""
    if isinstance(value, pa.Scalar):
        return value.as_py()
    return value.item()
