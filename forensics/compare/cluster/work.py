"""What executors do: they read parts of tables, and hand on lines that can be compared.

This runs where Spark runs it. A batch holds a table's number, a side, and lines; what else there
is to say of a part, how many rows it has or why it cannot be read, comes as a note among them.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.compare.fields import Canonical
from forensics.compare.shaping import Shaper
from forensics.compare.zeros import Zeros
from forensics.errors import ForensicsError, LiveError, first_line
from forensics.evidence import copytext
from forensics.evidence.parts import Cut, part_of
from forensics.evidence.source import Segment

BACKUP, LIVE, NOTE = range(3)
PART_BITS = 40  # of a position: where a line stands in its part; the part's number is above them
HASHES, ROWS, KEYS = "hashes", "rows", "keys"
SCHEMAS = {
    HASHES: "t int, s int, line binary",
    ROWS: "t int, s int, p bigint, line binary, raw binary",
    KEYS: "t int, s int, p bigint, line binary",
}
_BATCH_BYTES = 16 << 20
UNREACHED, BACKUP_FAULT, LIVE_FAULT = "unreached", "backup", "live"

# A task's number, a part's number among those of its table's side, and where it is cut.
Piece = tuple[int, int, Cut]


@dataclass
class Task:
    """One segment of a table, and what becomes of its rows.

    Attributes:
        table: its number in this run.
        side: whose rows they are.
        segment: the number of its segment among those of its side.
        columns: of the comparable lines, in order.
        comparable: by column, what makes its text comparable.
        stored: the columns of the rows that are kept, in order.
        canonical: by column, how these are made canonical; None where lines are kept as compared.
        counted: columns whose values are counted.
        zeros: tells whether there was a zero below nothing.
        as_stored: whether rows need no look that find an equal partner.
        key: the columns that tell rows apart.
    """

    table: int
    side: int
    segment: int
    columns: tuple[str, ...]
    comparable: Mapping[str, Canonical]
    stored: tuple[str, ...]
    canonical: Mapping[str, Canonical] | None
    counted: tuple[str, ...]
    zeros: Zeros
    as_stored: bool
    key: tuple[str, ...] = ()


@dataclass
class Note:
    """What is to be said of a part.

    Attributes:
        task, part: which one.
        rows: how many it has.
        values: by counted column, how many of its values are not NULL.
        signs: whether there was a zero below nothing.
        fault: why it cannot be read; `words`, `state` and `outdated` say more.
    """

    task: int
    part: int
    rows: int = 0
    values: dict[str, int] = field(default_factory=dict)
    signs: bool = False
    fault: str | None = None
    words: str = ""
    state: str | None = None
    outdated: bool = False

    def written(self) -> bytes:
        """The note as bytes, which no other part's note is."""
        return json.dumps(vars(self)).encode("utf-8")


def read_note(text: bytes) -> Note:
    """The note that some bytes are."""
    return Note(**json.loads(text))


def version() -> str:
    """Which version of the kit this is."""
    return str(getattr(sys.modules["forensics"], "__version__", ""))


@dataclass
class Work:
    """All that is to be done.

    Attributes:
        tasks: the tasks.
        segments: by side, its segments as `pickle` writes them: whoever cannot open them says so.
            They are written together, so that those of one database share a session of it.
    """

    tasks: Sequence[Task]
    segments: Mapping[int, bytes]


def read(work: Work, mode: str, pieces: Sequence[Piece]) -> Iterator[pa.RecordBatch]:
    """Yield the lines of some parts, one after the other, and a note of each.

    Args:
        work: all that is to be done.
        mode: which of `SCHEMAS` the batches have.
        pieces: which parts are to be read here.
    """
    yield from _large(_read(work, mode, pieces))


def _large(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in few batches: Sail can wait for ever where many stand in line."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size > _BATCH_BYTES:
            yield pa.concat_batches(held)
            held, size = [], 0
    if held:
        yield pa.concat_batches(held)


def _read(work: Work, mode: str, pieces: Sequence[Piece]) -> Iterator[pa.RecordBatch]:
    opened = _Opened(work)
    try:
        for number, place, cut in pieces:
            yield from _Part(work.tasks[number], Note(number, place), mode).read(opened, cut)
    finally:
        opened.close()


class _Opened:
    """The segments of each side, opened when the first of them is read."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._held: dict[int, list[Segment]] = {}

    def segment(self, task: Task) -> Segment:
        """The segment of a task."""
        if task.side not in self._held:
            written = self._work.segments[task.side]
            self._held[task.side] = pickle.loads(written)  # noqa: S301 - the kit wrote it
        return self._held[task.side][task.segment]

    def close(self) -> None:
        """Let go of what they are read with."""
        for segments in self._held.values():
            for segment in segments:
                segment.abandon()


class _Part:
    def __init__(self, task: Task, note: Note, mode: str) -> None:
        self._task, self._note, self._mode = task, note, mode

    def read(self, opened: _Opened, cut: Cut) -> Iterator[pa.RecordBatch]:
        """Yield its lines, then the note."""
        task, note = self._task, self._note
        try:
            part = part_of(opened.segment(task), cut)
        except Exception as error:  # whatever a file system or a library says
            self._fail(UNREACHED, error)
        else:
            try:
                yield from self._lines(part)
            except LiveError as error:
                self._fail(UNREACHED, error)
                note.state = error.sqlstate
            except ForensicsError as error:
                failure = getattr(error, "failure", None)
                self._fail(LIVE_FAULT if failure else BACKUP_FAULT, error)
                if failure:
                    note.words, note.state, note.outdated = (
                        failure.words,
                        failure.state,
                        failure.outdated,
                    )
            except OSError as error:
                self._fail(UNREACHED, error)
            except Exception as error:  # who reads the table here meets it again
                self._fail(BACKUP_FAULT, error)
        yield self._batch(NOTE, None, _binary_of([note.written()]), None)

    def _fail(self, fault: str, error: Exception) -> None:
        self._note.fault, self._note.words = fault, type(error).__name__
        with suppress(Exception):  # some cannot say what they are
            self._note.words = first_line(error)

    def _lines(self, part: Segment) -> Iterator[pa.RecordBatch]:
        task, note = self._task, self._note
        columns = task.key if self._mode == KEYS else task.columns
        shaper = Shaper(part.columns, columns, task.comparable, task.counted)
        keeper = None
        if task.canonical is not None and self._mode == ROWS:
            keeper = Shaper(part.columns, task.stored, task.canonical)
        blocks = part.as_stored() if task.as_stored else None
        start = note.part << PART_BITS
        for batch in copytext.line_batches(_copied(blocks or part.blocks()), start):
            lines = batch["line"]
            if not len(lines):
                continue
            note.rows += len(lines)
            kept = keeper(lines) if keeper else None
            yield self._batch(task.side, batch["position"], shaper(lines), kept)
        note.values = shaper.values
        note.signs = task.zeros.met

    def _batch(
        self, side: int, positions: pa.Array | None, lines: pa.Array, raw: pa.Array | None
    ) -> pa.RecordBatch:
        size = len(lines)
        columns = {"t": _same(self._task.table, size), "s": _same(side, size)}
        if self._mode != HASHES:
            columns["p"] = _same(0, size).cast(pa.int64()) if positions is None else positions
        columns["line"] = lines.cast(pa.binary())
        if self._mode == ROWS:
            columns["raw"] = pa.nulls(size, pa.binary()) if raw is None else raw.cast(pa.binary())
        return pa.record_batch(list(columns.values()), names=list(columns))


def _copied(blocks: Iterator[Any]) -> Iterator[bytes]:
    """Blocks that stay as they are when the next one is read."""
    for block in blocks:
        yield bytes(block)


def _same(value: int, size: int) -> pa.Array:
    return pa.Array.from_buffers(
        pa.int32(), size, [None, pa.py_buffer(np.full(size, value, dtype=np.int32))]
    )


def _binary_of(texts: Sequence[bytes]) -> pa.Array:
    return pa.array(texts, pa.binary())
