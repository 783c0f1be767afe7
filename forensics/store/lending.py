"""Rows of Arrow, lent to DuckDB for one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def lend(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Let one statement read rows, once, by a name that is taken back afterwards (`unregister`).

    As a stream: handed a table, DuckDB imports pandas, which takes a quarter of a second.
    """
    cursor.register(name, rows.to_reader().__arrow_c_stream__())
