"""COPY text into DuckDB: a field's value, and batches from Python that DuckDB reads by name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import duckdb
import pyarrow as pa

from forensics.evidence.heap import hold_tight

# A field's value: NULL, or COPY's escapes undone. Backslashes are parked as NUL, which no value
# of PostgreSQL holds.
VALUE_MACRO = r"""
CREATE OR REPLACE TEMP MACRO copy_value(f) AS CASE
    WHEN f = '\N' THEN NULL
    WHEN NOT contains(f, '\') THEN f
    ELSE replace(replace(replace(replace(replace(replace(replace(replace(f,
         '\\', chr(0)),
         '\n', chr(10)),
         '\t', chr(9)),
         '\r', chr(13)),
         '\b', chr(8)),
         '\f', chr(12)),
         '\v', chr(11)),
         chr(0), '\')
    END
"""

_MANY = 64  # batches, of about a megabyte


@contextlib.contextmanager
def single_handed(db: duckdb.DuckDBPyConnection, *, little: bool) -> Iterator[None]:
    """Have DuckDB work on one thread where there is little to do.

    Handing hundreds of small statements from one thread to another costs more than they do.
    """
    if not little:
        yield
        return
    db.execute("SET threads = 1")
    try:
        yield
    finally:
        with contextlib.suppress(duckdb.Error):
            db.execute("RESET threads")


class Guard:
    """Batches from Python for DuckDB to read; remembers what went wrong in making them."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for number, batch in enumerate(self._batches, 1):
                yield batch
                if number == _MANY:
                    hold_tight()
        except GeneratorExit:  # DuckDB wants no more of them; if it failed, it says why
            raise
        except BaseException as error:
            self.error = error
            raise


def feed(
    db: duckdb.DuckDBPyConnection, statement: str, schema: pa.Schema, guards: Mapping[str, Guard]
) -> None:
    """Run a statement that reads batches by name.

    What went wrong in making them is raised, not DuckDB's word for it.

    Args:
        db: a cursor of the case's connection.
        statement: reads each guard as a table of the guard's name.
        schema: of every guard's batches.
        guards: by name.
    """
    for name, guard in guards.items():
        reader = pa.RecordBatchReader.from_batches(schema, iter(guard))
        # As a capsule: handed a reader, DuckDB has Arrow's scanner read up to a gigabyte ahead.
        db.register(name, reader.__arrow_c_stream__())
    try:
        db.execute(statement)
    except duckdb.Error:
        for guard in guards.values():
            if guard.error:
                raise guard.error from None
        raise
    finally:
        for name in guards:
            db.unregister(name)


def feed_few(db: duckdb.DuckDBPyConnection, statement: str, rows: pa.Table) -> None:
    """Run a statement that reads a few rows by the name `batches`.

    DuckDB finds them under that name here: to register them and to forget them takes longer than
    reading them does.
    """
    batches = rows.to_reader().__arrow_c_stream__()
    db.execute(statement)
    del batches
