"""A backup's rows in the order of their key, on disk, cut into leaves of a few rows."""

from __future__ import annotations

import hashlib
import mmap
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import duckdb
import numpy as np
import pyarrow as pa

from forensics.compare.feeding import VALUE_MACRO, Guard
from forensics.compare.lines import LINES, Batches
from forensics.compare.wire.ordering import Key, KeyColumn, edge_between
from forensics.compare.wire.questions import DIGEST
from forensics.evidence import copytext
from forensics.evidence.reading import let_go
from forensics.evidence.source import Block, Segment, Snapshot
from forensics.model import TableName

_BATCH_ROWS = 20_000
_BLOCK_BYTES = 1 << 20
_FEWEST, _MOST = 4, 32  # rows of a leaf
_MAPPED = 16 << 20  # bytes
_AROUND = 64 << 10  # bytes that a system maps around what is looked at
_SORTING = "160MB"  # enough to put any number of rows in order, spilling; more makes it no faster
_DIGEST_BYTES = 22  # as it is sent
_CUT_BYTES = 10  # of a value of which a beginning is sent, about
Ranges = np.ndarray  # int64, of two columns: the leaf that a range begins at, and the one after it


class _Lines:
    """Lines in a file that nobody else sees; `marks` are the offsets at which leaves begin."""

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="forensics-wire-", dir=folder)
        self._found: list[np.ndarray] = []
        self.size = 0
        self.rows = 0
        self.marks = np.zeros(0, np.int64)
        self._map: mmap.mmap | None = None
        self._passed = 0

    def add(self, lines: pa.Array, leaf: int) -> None:
        """Add lines, each with its line feed."""
        _, offsets, text = lines.buffers()
        width = np.int64 if pa.types.is_large_string(lines.type) else np.int32
        ends = np.frombuffer(offsets, width)[lines.offset : lines.offset + len(lines) + 1]
        self._file.write(memoryview(text)[int(ends[0]) : int(ends[-1])])
        first = -self.rows % leaf
        self._found.append(ends[first:-1:leaf].astype(np.int64) - int(ends[0]) + self.size)
        self.size += int(ends[-1] - ends[0])
        self.rows += len(lines)

    def close_to_read(self) -> None:
        """All lines are there."""
        self._file.flush()
        self.marks = np.concatenate([*self._found, np.array([self.size], np.int64)])
        if self.size:
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    @property
    def text(self) -> Any:
        """What is in the file."""
        assert self._map is not None
        return self._map

    def passed(self, size: int) -> None:
        """So many bytes were looked at: what is mapped counts as this process's memory."""
        self._passed += size
        if self._passed > _MAPPED and self._map is not None:
            self._passed = 0
            let_go(self._map, 0, self.size)

    def close(self) -> None:
        """Let go of the file."""
        if self._map is not None:
            self._map.close()
        self._file.close()


class Spool:
    """A backup's rows in the order of their key.

    Args:
        folder: where the files go; they have no name, and end with the process.
        key: the columns by which they are put in order.
        width: how many columns a line has.
    """

    def __init__(self, folder: Path, key: Sequence[KeyColumn], width: int) -> None:
        self._key = key
        self._width = width
        self._folder = folder
        self._compared = _Lines(folder)
        self._kept = _Lines(folder)  # where the lines that are kept are others
        self.leaf_rows = 0

    def fill(self, db: duckdb.DuckDBPyConnection, rows: Callable[[], Batches]) -> None:
        """Put rows in order.

        Args:
            db: a cursor of the case's connection, for rows that take more memory than others.
            rows: gives batches of schema `LINES`.

        Raises:
            duckdb.Error, OSError: there is no room for it.
        """
        try:
            with duckdb.connect(config=self._small()) as small:
                small.execute(VALUE_MACRO)
                self._put_in_order(small, rows())
        except (duckdb.OutOfMemoryException, pa.ArrowException, OSError):
            self._empty()
            self._put_in_order(db, rows())
        for lines in (self._compared, self._kept):
            lines.close_to_read()

    def _small(self) -> dict[str, str | bool | list[str]]:
        """What an engine of its own holds: all of it is given back when it is closed."""
        return {
            "temp_directory": str(self._folder),
            "memory_limit": _SORTING,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }

    def _empty(self) -> None:
        self.close()
        self._compared, self._kept = _Lines(self._folder), _Lines(self._folder)
        self.leaf_rows = 0

    def _put_in_order(self, db: duckdb.DuckDBPyConnection, rows: Batches) -> None:
        guard = Guard(rows)
        reader = pa.RecordBatchReader.from_batches(LINES, iter(guard))
        db.register("wire_rows", reader.__arrow_c_stream__())
        try:
            for batch in db.sql(self._in_order()).to_arrow_reader(_BATCH_ROWS):
                self._add(batch)
        except (duckdb.Error, pa.ArrowException, OSError):
            if guard.error:
                raise guard.error from None
            raise
        finally:
            db.unregister("wire_rows")

    def _in_order(self) -> str:
        terms = []
        for column in self._key:
            field = f"string_split(rtrim(line, chr(10)), chr(9))[{column.place + 1}]"
            if column.place == 0 and self._width > 1:
                field = "substr(line, 1, strpos(line, chr(9)) - 1)"
            terms.append(column.ours.format(field))
        return f"SELECT line, raw FROM wire_rows ORDER BY {', '.join([*terms, 'position'])}"

    def _add(self, batch: pa.RecordBatch) -> None:
        lines, kept = batch.column(0), batch.column(1)
        if not len(lines):
            return
        if not self.leaf_rows:
            # The fewer bytes a row has, the more of them are worth a fingerprint, of one row in a
            # hundred that differs.
            width = max(lines.nbytes / len(lines), 1)
            cost = _DIGEST_BYTES + self._edge_bytes(lines[0].as_py())
            rows = round((100 * cost / width) ** 0.5)
            self.leaf_rows = min(max(rows, _FEWEST), _MOST)
        self._compared.add(lines, self.leaf_rows)
        if kept.null_count != len(kept):
            self._kept.add(kept, self.leaf_rows)

    @property
    def leaves(self) -> int:
        """How many leaves there are."""
        return len(self._compared.marks) - 1

    @property
    def size(self) -> int:
        """The bytes of all lines that are compared."""
        return self._compared.size

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._compared.rows

    @property
    def keeps_others(self) -> bool:
        """Whether the lines that are kept are others than those that are compared."""
        return bool(self._kept.rows)

    def digests(self, ranges: Ranges) -> bytes:
        """The fingerprints of some ranges, one behind the other."""
        found = bytearray()
        text = memoryview(self._compared.text)
        marks = self._compared.marks
        with text:
            for begin, end in zip(marks[ranges[:, 0]], marks[ranges[:, 1]], strict=True):
                # A line feed stands between lines, and none at the end.
                digest = hashlib.sha256(text[int(begin) : int(end) - 1]).digest()
                found += digest[:DIGEST]
                self._compared.passed(int(end - begin))
        return bytes(found)

    def rows_in(self, ranges: Ranges) -> int:
        """How many rows stand in some ranges."""
        ends = np.minimum(ranges * self.leaf_rows, self.rows)
        return int((ends[:, 1] - ends[:, 0]).sum())

    def _edge_bytes(self, line: str) -> int:
        """About how many bytes a key takes as it is sent."""
        size = 0
        for column, value in zip(self._key, self._key_of(line.encode("utf-8")), strict=True):
            size += 1 + min(len(value), _CUT_BYTES if column.is_cut else len(value))
        return size

    def edge(self, leaf: int) -> Key | None:
        """A key that parts the rows before a leaf from its own; None where one stands in both."""
        at = int(self._compared.marks[leaf])
        text = self._compared.text
        before = text[text.rfind(b"\n", 0, at - 1) + 1 : at - 1]
        self._compared.passed(_AROUND)
        low, high = self._key_of(before), self._key_of(text[at : text.find(b"\n", at)])
        return None if low == high else edge_between(low, high, self._key)

    def _key_of(self, line: bytes) -> Key:
        fields = line.rstrip(b"\n").split(b"\t")
        found = []
        for column in self._key:
            found.append(copytext.decode_field(fields[column.place].decode("utf-8")) or "")
        return tuple(found)

    def blocks(self, ranges: Ranges) -> Iterator[Block]:
        """Yield the rows in some ranges, as they are kept."""
        held: list[bytes] = []
        size = 0
        for piece in self._pieces(ranges):
            held.append(piece)
            size += len(piece)
            if size >= _BLOCK_BYTES:
                yield b"".join(held)
                held, size = [], 0
        if held:
            yield b"".join(held)

    def _pieces(self, ranges: Ranges) -> Iterator[bytes]:
        lines = self._kept if self.keeps_others else self._compared
        for begin, end in ranges:
            at, last = int(lines.marks[begin]), int(lines.marks[end])
            while at < last:
                upto = last
                if last - at > _BLOCK_BYTES:
                    upto = lines.text.find(b"\n", at + _BLOCK_BYTES) + 1
                yield lines.text[at:upto]
                lines.passed(max(upto - at, _AROUND))
                at = upto

    def close(self) -> None:
        """Let go of the files."""
        self._compared.close()
        self._kept.close()


class SpooledSegment(Segment):
    """Rows of a backup that a spool holds: those of some ranges.

    Args:
        judge: looks at whether rows are such as their types can hold, where that was not done.
    """

    def __init__(
        self,
        table: TableName,
        columns: Sequence[str],
        spool: Spool,
        ranges: Ranges,
        judge: Segment | None,
        snapshot: Snapshot | None,
    ) -> None:
        super().__init__(table, columns)
        self._spool, self._ranges, self._judge = spool, ranges, judge
        self.snapshot = snapshot

    def blocks(self) -> Iterator[Block]:
        yield from self._spool.blocks(self._ranges)

    def judge(self, lines: Sequence[bytes]) -> None:
        if self._judge:
            self._judge.judge(lines)
