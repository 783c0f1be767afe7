"""What Spark found of a table, as the comparison takes it: in place of its own reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from forensics.compare.cluster.reducer import Item, Reducer, Run
from forensics.compare.cluster.work import BACKUP, BACKUP_FAULT, LIVE, UNREACHED, Note
from forensics.compare.lines import Batches, LeftOver, Progress, UnsoundError, batch_of
from forensics.compare.sides import Side, Sides
from forensics.errors import ClusterError
from forensics.evidence.parts import refused
from forensics.evidence.source import Snapshot
from forensics.model import TableName


class Reduced:
    """What was found of a table.

    Args:
        run: with which tables it was reduced.
        table: its number there.
        item: the table.
    """

    def __init__(self, run: Run, table: int, item: Item) -> None:
        self._run, self._table, self._item = run, table, item

    def is_of(self, sides: Sides, key: Sequence[str]) -> bool:
        """Whether it was found of the same rows, told apart by the same key."""
        if self._item.key != tuple(key):
            return False
        return _moments(self._item.sides) == _moments(sides)

    def left_over(self, sides: Sides, progress: Progress) -> LeftOver | None:
        """The rows of either side without a partner; None where there are none.

        Raises:
            UnsoundError: rows of a dump are not sound; who reads it here tells which.
            LiveError: a database refused rows.
            ClusterError: executors do not reach a side.
        """
        self._expect_sound(sides)
        run, table = self._run, self._table
        backup, live = sides.backup, sides.live
        backup.rows, live.rows = run.rows_of(table, BACKUP), run.rows_of(table, LIVE)
        backup.values = dict.fromkeys(backup.counted, 0) | run.values_of(table)
        backup.as_stored = True  # rows are to be looked at once more where they are not sound
        sides.zeros.met = any(note.signs for note in run.told[table].notes.values())
        progress(live.rows)
        if not run.told[table].hashes:
            return None
        return LeftOver(self._looked_at(backup), self._batches(live, LIVE))

    def _expect_sound(self, sides: Sides) -> None:
        note = self._run.told[self._table].fault
        if note is None:
            return
        if note.fault == BACKUP_FAULT:
            raise UnsoundError
        if note.fault == UNREACHED:
            raise _unreached(note, sides)
        raise self._refused(note, sides)

    def _refused(self, note: Note, sides: Sides) -> Exception:
        side, place = self._run.segment_of(note)
        segment = (sides.backup, sides.live)[side].segments[place]
        return refused(segment, note.words, note.state, note.outdated)

    def _looked_at(self, side: Side) -> Batches:
        """The backup's rows; those that nobody has looked at yet are."""
        for batch in self._batches(side, BACKUP):
            if self._unseen:
                rows = b"".join(text.encode("utf-8") for text in batch["line"].to_pylist())
                if not side.segments[0].is_sound(rows):
                    raise UnsoundError
            yield batch

    @property
    def _unseen(self) -> bool:
        """Whether nobody has looked at the backup's rows."""
        return not any(segment.thorough for segment in self._item.sides.backup.segments)

    def _batches(self, side: Side, number: int) -> Batches:
        spool = self._run.spool
        if spool is None:
            return
        for batch in spool.read((self._table, number)):
            yield batch_of(side, batch["position"], batch["line"], batch["raw"])

    def again(self, sides: Sides) -> Batches:
        """The backup's rows without a partner, once more, as they are kept."""
        side = sides.backup
        for batch in self._batches(side, BACKUP):
            if self._unseen:
                lines = batch["line"].to_pylist()
                side.segments[0].judge([line.rstrip("\n").encode("utf-8") for line in lines])
            yield batch

    def key_lines(self, sides: Sides, wanted: Iterable[pa.Array]) -> Batches:
        """The keys, as lines, of the backup's rows that have one of some."""
        for found in self._run.keys(self._table, wanted):
            for batch in found.to_batches():
                lines = batch.column("line").cast(pa.large_string())
                yield batch_of(sides.backup, batch.column("p"), lines)
        self._expect_sound(sides)

    def close(self) -> None:
        """Let go of its rows."""
        if self._run.spool:
            self._run.spool.let_go(self._table)


class Ahead:
    """Tables that were reduced together, before each is compared.

    Args:
        reducer: reduces them.
    """

    def __init__(self, reducer: Reducer) -> None:
        self._reducer = reducer
        self._found: dict[TableName, Reduced] = {}

    def reduce(self, items: Mapping[TableName, Item]) -> None:
        """Reduce some tables."""
        run = self._reducer.reduce(list(items.values()))
        if run is None:
            return
        for number, (name, item) in enumerate(items.items()):
            self._found[name] = Reduced(run, number, item)

    def of(self, sides: Sides, key: Sequence[str]) -> Reduced | None:
        """What Spark finds of a table; None where its rows can be read here alone."""
        name = sides.table
        found = self._found.get(name)
        if found is None or not found.is_of(sides, key):
            self.let_go(name)
            self.reduce({name: Item(sides, tuple(key))})
        return self._found.get(name)

    def stop(self) -> None:
        """End what is asked of Spark."""
        self._reducer.stop()

    def let_go(self, name: TableName) -> None:
        """Forget a table."""
        if found := self._found.pop(name, None):
            found.close()


def _moments(sides: Sides) -> list[Snapshot | None]:
    return [sides.backup.snapshot, sides.live.snapshot]


def _unreached(note: Note, sides: Sides) -> ClusterError:
    return ClusterError(
        f"An executor does not reach the rows of {sides.table}: {note.words}.",
        "Executors read both sides themselves: give paths and a host that they reach as well "
        "(docs/spark.md), and go on with --resume.",
    )
