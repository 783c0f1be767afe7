"""Long texts on their way into the case: as Arrow's, which DuckDB reads where they lie.

In a statement they would be parsed with it, and held several times over meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

LONG = 64 << 10  # characters


def execute_with(cursor: duckdb.DuckDBPyConnection, statement: str, texts: Sequence[str]) -> None:
    """Run a statement that reads `given`, a table of one row: `t0`, `t1`, … are the texts."""
    import pyarrow as pa

    arrays = []
    for text in texts:
        # By hand: `pa.array` imports pandas.
        data = text.encode("utf-8")
        ends = pa.py_buffer(b"".join(n.to_bytes(8, "little") for n in (0, len(data))))
        buffers = [None, ends, pa.py_buffer(data)]
        arrays.append(pa.Array.from_buffers(pa.large_string(), 1, buffers))
    names = [f"t{number}" for number in range(len(texts))]
    batch = pa.RecordBatch.from_arrays(arrays, names)
    reader = pa.RecordBatchReader.from_batches(batch.schema, [batch])
    cursor.register("given", reader.__arrow_c_stream__())
    try:
        cursor.execute(statement)
    finally:
        cursor.unregister("given")
