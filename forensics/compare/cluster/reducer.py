"""The rows of tables that have no equal partner, found by Spark: a few questions for many tables.

First both sides are reduced to hashes, and those that one side has more of are told. Where there
are some, the tables that have them are read again, and their rows come here, into files that
nobody else sees. From there on they take the way of all rows that a walk along both sides leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare.cluster import queries
from forensics.compare.cluster.session import Session
from forensics.compare.cluster.shell import written
from forensics.compare.cluster.spool import Spool
from forensics.compare.cluster.work import (
    BACKUP,
    HASHES,
    KEYS,
    LIVE,
    NOTE,
    ROWS,
    Note,
    Piece,
    Task,
    Work,
    read_note,
)
from forensics.compare.sides import Side, Sides
from forensics.errors import BoundError
from forensics.evidence.arrays import number
from forensics.evidence.parts import cuts_of, sent
from forensics.evidence.source import Segment

_PART = 128 << 20  # bytes
_TOGETHER = 25  # small tables that one executor reads
_FEW = 1_000_000  # hashes that every executor may hold
_PARTS_A_PARTITION = 8  # of what is read, of hashes
_FEWEST_PARTITIONS, _MOST_PARTITIONS = 2, 4_000


@dataclass(frozen=True)
class Item:
    """A table to reduce: its sides, and the key that tells its rows apart, if any."""

    sides: Sides
    key: tuple[str, ...]


@dataclass
class Told:
    """What executors said of a table.

    Attributes:
        hashes: how many have no partner.
        notes: by task and part, what was said of it.
    """

    hashes: int = 0
    notes: dict[tuple[int, int], Note] = field(default_factory=dict)

    @property
    def fault(self) -> Note | None:
        """Why the table cannot be read, or None."""
        return next((note for note in self.notes.values() if note.fault), None)


class Reducer:
    """Asks Spark.

    Args:
        session: whom to ask.
        folder: where rows that came are put.
        connections: how many sessions a database gives executors.
        tell: takes a sentence that people should know.
    """

    def __init__(
        self, session: Session, folder: Path, connections: int, tell: Callable[[str], None]
    ) -> None:
        self._session = session
        self._folder = folder
        self._connections = connections
        self._tell = tell
        self._bound: set[str] = set()

    def stop(self) -> None:
        """End what is asked."""
        self._session.interrupt()

    def reduce(self, items: Sequence[Item]) -> Run | None:
        """Find the rows of some tables that have no equal partner.

        Returns:
            What was found; None where this process alone can read their rows.

        Raises:
            ClusterError: Spark does not answer.
        """
        try:
            run = Run(self._session, items, self._connections)
        except BoundError as error:
            if error.message not in self._bound:
                self._bound.add(error.message)
                self._tell(f"{error.message}: tables of it are compared here, and not by Spark.")
            return None
        run.reduce(self._folder)
        return run


class Run:
    """Some tables, reduced together; a table's number is its place among them.

    Args:
        session: whom to ask.
        items: the tables.
        connections: as `Reducer` has it.

    Raises:
        BoundError: this process alone can read their rows.
    """

    def __init__(self, session: Session, items: Sequence[Item], connections: int) -> None:
        self._session = session
        self._items = items
        self._connections = connections
        self._pieces: dict[int, list[Piece]] = {BACKUP: [], LIVE: []}
        tasks: list[Task] = []
        segments: dict[int, bytes] = {}
        for side in self._pieces:
            listed: list[Segment] = []
            for table, item in enumerate(items):
                both = (item.sides.backup, item.sides.live)
                if not is_plain(both[BACKUP], item.sides):
                    both[BACKUP].look_closely()  # its rows do not come back as they are stored
                places = count()  # of the parts of all its segments
                for segment in both[side].segments:
                    for cut in cuts_of(segment, _PART):
                        self._pieces[side].append((len(tasks), next(places), cut))
                    tasks.append(_task(item, table, side, len(listed), both[side]))
                    listed.append(sent(segment))
            segments[side] = written(listed)
        self._work = Work(tasks, segments)
        self.told = [Told() for _ in items]
        self.spool: Spool | None = None

    # --- what executors read ----------------------------------------------------------------------

    def _parts(self, sides: Iterable[int], tables: Iterable[int]) -> list[list[Piece]]:
        """Which parts are read one after the other; a database's first, for they take longest."""
        wanted = set(tables)
        found: list[list[Piece]] = []
        for side in sides:
            pieces = []
            for piece in self._pieces[side]:
                if self._work.tasks[piece[0]].table in wanted:
                    pieces.append(piece)
            found = [*self._dealt(pieces, side), *found]
        if self._session.is_shared:  # threads of one Python may wait for each other for ever
            return [list(chain.from_iterable(found))]
        return found

    def _dealt(self, pieces: list[Piece], side: int) -> list[list[Piece]]:
        item = self._items[0].sides
        size = _TOGETHER if len(self._items) > 1 else 1
        if (item.backup, item.live)[side].snapshot:
            size = -(-len(pieces) // self._connections) or 1
        return [pieces[at : at + size] for at in range(0, len(pieces), size)]

    def _number(self, parts: Sequence[object]) -> int:
        """How many partitions hashes are put in."""
        wanted = len(parts) // _PARTS_A_PARTITION
        return min(max(wanted, _FEWEST_PARTITIONS), _MOST_PARTITIONS)

    # --- what is asked ----------------------------------------------------------------------------

    def reduce(self, folder: Path) -> None:
        """Ask for hashes, then for the rows that have them."""
        hashes = self._lonely()
        differing = [t for t, told in enumerate(self.told) if told.hashes and not told.fault]
        if not differing:
            return
        self.spool = Spool(folder)
        self._fetch(hashes, differing)
        self.spool.close_to_read()

    def _lonely(self) -> pa.Table | None:
        """Learn how many hashes have no partner; return them, or None where they are many."""
        held: list[pa.Table] | None = []
        size = 0
        for found in self._session.batches(self._asked_lonely("hashes")):
            is_note = pc.and_(
                pc.equal(found.column("b"), number(0)), pc.equal(found.column("l"), number(0))
            )
            self._hear(found.filter(is_note).column("h"))
            hashes = found.filter(pc.invert(is_note))
            counted = hashes.group_by("t").aggregate([("h", "count")])
            for row in counted.to_pylist():
                self.told[row["t"]].hashes += row["h_count"]
            size += len(hashes)
            if size > _FEW:
                held = None
            if held is not None:
                held.append(hashes)
        return pa.concat_tables(held) if held else None

    def _asked_lonely(self, name: str) -> object:
        parts = self._parts((BACKUP, LIVE), range(len(self._items)))
        rows = self._session.rows(name, self._work, HASHES, parts)
        return queries.lonely(rows, self._number(parts))

    def _fetch(self, hashes: pa.Table | None, tables: Sequence[int]) -> None:
        parts = self._parts((BACKUP, LIVE), tables)
        rows = self._session.rows("rows", self._work, ROWS, parts)
        if hashes is None:
            wanted, repeating = self._asked_lonely("again"), True
        else:
            wanted = self._session.table(hashes)
            both = pc.and_(
                pc.greater(hashes.column("b"), number(0)), pc.greater(hashes.column("l"), number(0))
            )
            repeating = bool(pc.any(both).as_py())
        asked = queries.whole(rows, wanted, few=hashes is not None, repeating=repeating)
        assert self.spool is not None
        for found in self._session.batches(asked):
            is_note = pc.equal(found.column("s"), number(NOTE))
            self._hear(found.filter(is_note).column("line"))
            self.spool.add(found.filter(pc.invert(is_note)))

    def keys(self, table: int, wanted: Iterable[pa.Array]) -> Iterator[pa.Table]:
        """The rows (p, line) of a table's backup whose key, as a line, is one of some."""
        lines = pa.chunked_array([one.cast(pa.binary()) for one in wanted], pa.binary())
        if not len(lines):
            return
        rows = self._session.rows("keys", self._work, KEYS, self._parts((BACKUP,), (table,)))
        asked = queries.among(rows, self._session.table(pa.table({"line": lines})))
        for found in self._session.batches(asked):
            is_note = pc.equal(found.column("s"), number(NOTE))
            self._hear(found.filter(is_note).column("line"))
            yield found.filter(pc.invert(is_note))

    def _hear(self, notes: pa.ChunkedArray) -> None:
        for text in notes.to_pylist():
            note = read_note(text)
            held = self.told[self._work.tasks[note.task].table].notes
            place = (note.task, note.part)
            if note.fault or place not in held:
                held[place] = note

    def segment_of(self, note: Note) -> tuple[int, int]:
        """Of which side a note is, and of which of a table's segments there."""
        tasks = self._work.tasks
        task = tasks[note.task]
        before = [t for t in tasks[: note.task] if (t.table, t.side) == (task.table, task.side)]
        return task.side, len(before)

    def rows_of(self, table: int, side: int) -> int:
        """How many rows a side of a table has."""
        return sum(note.rows for note in self._notes(table, side))

    def values_of(self, table: int) -> dict[str, int]:
        """By column that live dropped, how many values of it the backup has."""
        found: dict[str, int] = {}
        for note in self._notes(table, BACKUP):
            for column, values in note.values.items():
                found[column] = found.get(column, 0) + values
        return found

    def _notes(self, table: int, side: int) -> list[Note]:
        notes = self.told[table].notes.values()
        return [note for note in notes if self._work.tasks[note.task].side == side]


def _task(item: Item, table: int, number: int, segment: int, side: Side) -> Task:
    columns = item.sides.columns
    return Task(
        table,
        number,
        segment,
        columns,
        side.comparable,
        side.stored,
        None if side.stored == columns and not side.casts else side.canonical,
        side.counted,
        item.sides.zeros,
        as_stored=number == BACKUP and is_plain(side, item.sides),
        key=item.key,
    )


def is_plain(side: Side, sides: Sides) -> bool:
    """Whether the lines of a side are compared as they are stored, but for their text."""
    return side.in_order(sides.columns) and not side.counted and not side.casts
