"""Both sides of a table without the rows of ranges that are equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from forensics.compare.lines import stored_lines, unheard
from forensics.compare.rows import Found
from forensics.compare.sides import Side, Sides
from forensics.compare.wire.descent import Descent, UnlikeError, edges_of
from forensics.compare.wire.ordering import KeyColumn
from forensics.compare.wire.questions import SETTINGS, Edges, Questions
from forensics.compare.wire.spool import Ranges, Spool, SpooledSegment
from forensics.errors import LiveError, OutdatedError
from forensics.evidence.source import Segment
from forensics.model import Table

if TYPE_CHECKING:
    from forensics.evidence.live.asked import AskedSegment
    from forensics.evidence.live.source import LiveSource

LEAST_BYTES = 1 << 20  # of a backup's rows: fewer are read in the time that asking takes


@dataclass
class Lessened:
    """What is left of both sides of a table.

    Attributes:
        sides: with the rows that may differ.
        settled: how many rows of either side do not.
        values: by column that live dropped, how many of the backup's values are not NULL.
        spool: where the backup's rows are; None where both sides are whole.
    """

    sides: Sides
    settled: int = 0
    values: Mapping[str, int] = field(default_factory=dict)
    spool: Spool | None = None

    def completed(self, found: Found) -> Found:
        """What was found of the whole table, from what was found of these rows."""
        if self.spool is None:
            return found
        self.sides.backup.values = dict(self.values)
        counts = found.counts
        counts = replace(
            counts,
            backup_rows=counts.backup_rows + self.settled,
            live_rows=counts.live_rows + self.settled,
            unchanged=counts.unchanged + self.settled,
        )
        return replace(found, counts=counts)

    def close(self) -> None:
        """Let go of the backup's rows."""
        if self.spool:
            self.spool.close()


class Lessening:
    """Leaves out of a table what is equal.

    Args:
        live: the database.
        table: as it has it.
        key: the key's columns.
        line: the expression of a row's line.
        sessions: how many questions are put at a time.
    """

    def __init__(
        self,
        live: LiveSource,
        table: Table,
        key: Sequence[KeyColumn],
        line: str,
        sessions: int = 1,
    ) -> None:
        self._live, self._table, self._key = live, table, key
        self._sessions = sessions
        self._questions = Questions(table, key, line)

    def run(self, sides: Sides, db: duckdb.DuckDBPyConnection, folder: Path) -> Lessened:
        """Return what is left of both sides.

        Args:
            sides: none of their rows was read yet.
            db: a cursor of the case's connection.
            folder: where the backup's rows wait.

        Raises:
            UnlikeError: the table has to be read whole.
            EvidenceError: a side could not be read.
        """
        spool = Spool(folder, self._key, len(sides.columns))
        try:
            values = self._fill(spool, sides, db)
            if spool.size < LEAST_BYTES:
                raise UnlikeError("")
            ask = partial(self._ask, sides)
            try:
                differing = Descent(spool, ask, self._sessions).run()
                edges = edges_of(differing, spool)
            except LiveError as error:
                if isinstance(error, OutdatedError) or not error.refused:
                    raise
                raise UnlikeError(f"the server refused: {error.message.rstrip('.')}") from error
            settled = spool.rows - spool.rows_in(differing)
            return Lessened(self._left(sides, spool, differing, edges), settled, values, spool)
        except BaseException:
            spool.close()
            raise

    def _fill(self, spool: Spool, sides: Sides, db: duckdb.DuckDBPyConnection) -> dict[str, int]:
        """Put the backup's rows in order; return how many values of dropped columns there are."""
        side = replace(sides.backup, mark=None)
        if not _is_kept_as_it_is(sides):
            side.look_closely()
        try:
            spool.fill(db, lambda: stored_lines(side, sides.columns, unheard))
        except (duckdb.Error, OSError) as error:
            words = str(error).partition("\n")[0].rstrip(".")
            raise UnlikeError(f"the backup's rows cannot be put in order: {words}") from error
        return side.values

    def _ask(self, sides: Sides, edges: Edges) -> str:
        return self._asked(sides, (), self._questions.fingerprints(edges)).answer()

    def _asked(self, sides: Sides, columns: Sequence[str], statement: str) -> AskedSegment:
        from forensics.evidence.live.asked import AskedSegment

        snapshot = sides.live.snapshot
        assert snapshot is not None
        return AskedSegment(self._live, self._table.name, columns, statement, snapshot, SETTINGS)

    def _left(self, sides: Sides, spool: Spool, differing: Ranges, edges: Edges) -> Sides:
        backup, live = sides.backup, sides.live
        columns, judge = backup.stored, None
        if not spool.keeps_others:
            columns = sides.columns
        if _is_kept_as_it_is(sides):
            judge = backup.segments[0]
        ours = SpooledSegment(sides.table, columns, spool, differing, judge, backup.snapshot)
        listed = live.segments[0].columns
        theirs = self._nothing(sides, listed)
        if len(differing):
            theirs = self._asked(sides, listed, self._questions.rows(edges, listed))
        return Sides(_of(backup, ours), _of(live, theirs), sides.columns, sides.zeros)

    def _nothing(self, sides: Sides, columns: Sequence[str]) -> Segment:
        from forensics.evidence.live.bulk import HeldSegment

        assert sides.live.snapshot is not None
        return HeldSegment(self._table.name, columns, sides.live.snapshot, b"")


def _of(side: Side, segment: Segment) -> Side:
    """A side of which a segment is left."""
    return Side([segment], side.stored, side.canonical, side.casts, long=side.long, mark=side.mark)


def _is_kept_as_it_is(sides: Sides) -> bool:
    """Whether the backup's rows are kept as they stand in it: their run can judge them."""
    backup = sides.backup
    if backup.comparable or len(backup.segments) != 1:
        return False
    return backup.segments[0].columns == backup.stored
