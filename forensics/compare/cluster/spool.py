"""Rows that came from executors: Parquet files that nobody else sees, and that end with the run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from forensics.compare.lines import LINES
from forensics.evidence.arrays import number

_BATCH_ROWS = 20_000

Place = tuple[int, int]  # a table, and a side


class Spool:
    """Rows by table and side.

    Args:
        folder: where the files go; they have no name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Place, IO[bytes]] = {}
        self._writers: dict[Place, parquet.ParquetWriter] = {}

    def add(self, rows: pa.Table) -> None:
        """Take in rows (t, s, p, line, raw) of any tables."""
        places = rows.group_by(["t", "s"]).aggregate([])
        for table, side in zip(*(places.column(name).to_pylist() for name in "ts"), strict=True):
            here = pc.and_(
                pc.equal(rows.column("t"), number(table)), pc.equal(rows.column("s"), number(side))
            )
            some = rows.filter(here).select(["p", "line", "raw"]).rename_columns(LINES.names)
            self._writer((table, side)).write_table(some.cast(LINES))

    def _writer(self, place: Place) -> parquet.ParquetWriter:
        if place not in self._writers:
            file = tempfile.TemporaryFile(prefix="forensics-spark-", dir=self._folder)
            self._files[place] = file
            self._writers[place] = parquet.ParquetWriter(file, LINES, compression="zstd")
        return self._writers[place]

    def close_to_read(self) -> None:
        """All rows are there."""
        for writer in self._writers.values():
            writer.close()

    def read(self, place: Place) -> Iterator[pa.RecordBatch]:
        """The rows of a side of a table, of schema `LINES`; as often as they are asked for."""
        if place not in self._files:
            return
        file = self._files[place]
        file.seek(0)
        for batch in parquet.ParquetFile(file).iter_batches(_BATCH_ROWS):
            yield batch.cast(LINES)

    def let_go(self, table: int) -> None:
        """Forget a table's rows."""
        for side in (0, 1):
            self._writers.pop((table, side), None)
            if file := self._files.pop((table, side), None):
                file.close()
