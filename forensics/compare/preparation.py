"""Tables made ready to be compared: which columns, by which key, in which canonical text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from forensics.compare import keys, schema
from forensics.compare.canonical import Writer
from forensics.compare.casts import ASSUMES_UTC, assumes_utc, casts_between
from forensics.compare.equality import Equality, equality_of
from forensics.compare.fields import Canonical
from forensics.compare.longvalues import Long
from forensics.compare.options import matching
from forensics.compare.shaping import after
from forensics.compare.sides import Side, Sides
from forensics.compare.zeros import Zeros, bare, bare_columns
from forensics.errors import DamagedBackupError, ForensicsError
from forensics.evidence.source import Block, Segment, Source
from forensics.model import ColumnChange, Key, Table, TableName
from forensics.store.values import LongValues


@dataclass(frozen=True)
class Columns:
    """The columns of a table that both sides have.

    Attributes:
        compared: in the backup's order.
        lost: those of the backup that live dropped; their values are counted.
        notes: what to say of those that cannot be compared.
    """

    compared: tuple[str, ...]
    lost: tuple[str, ...]
    notes: tuple[str, ...]


# How a table's definitions differ, and its columns.
Plan = tuple[list[ColumnChange], Columns]


class Preparation:
    """Both sources, and what has to be known of them to compare any of their tables.

    Args:
        backup, live: both sides, open.
        given: by shell pattern of tables, the key that the user asked for.
        values: where long values go.
    """

    def __init__(
        self,
        backup: Source,
        live: Source,
        given: Mapping[str, tuple[str, ...]],
        values: LongValues,
    ) -> None:
        self.backup, self.live = backup, live
        self._values = values
        self._given = given
        self._writer_of_backup = Writer.of(backup)
        self._writer_of_live = Writer.of(live)
        self.contents = backup.contents()
        self._planned: dict[TableName, Plan] = {}
        self._held: dict[tuple[TableName, bool], Segment] = {}  # whether of live

    # --- several tables at once ---------------------------------------

    def read_ahead(self, tables: Sequence[TableName]) -> None:
        """Read the rows of small tables that both sides have at once, where databases hold them."""
        ours, theirs = {}, {}
        for name in tables:
            backup, live = self.backup.catalog.tables[name], self.live.catalog.tables[name]
            with suppress(ForensicsError):  # who compares the table meets it again
                changes, columns = self.plan(backup, live)
                self._planned[backup.name] = changes, columns
                ours[backup.name] = schema.stored_columns(backup)
                theirs[live.name] = _asked_of_live(live, columns)
        for name, segment in self.backup.several(ours).items():
            self._held[name, False] = segment
        for name, segment in self.live.several(theirs).items():
            self._held[name, True] = segment

    def holds(self, tables: Sequence[TableName]) -> bool:
        """Whether live's rows of all of these were read ahead: nothing more is asked for them."""
        return all((name, True) in self._held for name in tables)

    def let_go(self, name: TableName) -> None:
        """Forget what was read ahead of a table."""
        self._planned.pop(name, None)
        self._held.pop((name, False), None)
        self._held.pop((name, True), None)

    def plan(self, backup: Table, live: Table) -> Plan:
        """Return how a table's definitions differ, and what is to be compared of its rows."""
        known = self._planned.get(backup.name)
        if known:
            return known
        changes = schema.drift(backup, live)
        return changes, self.columns(backup, live, changes)

    # --- columns and keys ---------------------------------------------

    def columns(self, backup: Table, live: Table, changes: list[ColumnChange]) -> Columns:
        """Choose the columns to compare; the backup's rows may leave some out.

        Args:
            backup, live: the table on either side.
            changes: how their definitions differ.
        """
        ours = schema.stored_columns(backup)
        held = self.backup.segments(backup.name, ours)
        compared, lacking = [], []
        for column in schema.compared_columns(backup, live):
            if all(column in segment.columns for segment in held):
                compared.append(column)
            else:
                lacking.append(column)
        notes = []
        if lacking:
            notes.append(f"the backup's rows have no {', '.join(lacking)}: not compared")
        worked_out = [c for c in ours if _is_generated(live, c)]
        if worked_out:
            notes.append(
                f"live works {', '.join(worked_out)} out where the backup stores values: "
                "they are not compared"
            )
        lost = [c.column for c in changes if c.change == "dropped" and c.column in ours]
        return Columns(tuple(compared), tuple(lost), tuple(notes))

    def key(self, backup: Table, live: Table, columns: Columns) -> keys.Choice:
        """Choose the key to compare a table by.

        A backup that breaks off has not said its keys, and one without its last section
        never does: live's word has to do.

        Raises:
            UsageError: the user asked for a column that is not on both sides.
        """
        given = None
        for pattern, key in self._given.items():
            if matching(backup.name, (), (pattern,)):
                given = key
                break
        if backup.keys or not self._says_no_keys:
            return keys.choose(backup, live, columns.compared, given)
        told = replace(backup, keys=_possible_keys(live, backup))
        choice = keys.choose(told, live, columns.compared, given)
        return replace(choice, lent=choice.source != "given")

    def equality(self, backup: Table, live: Table, key: Sequence[str]) -> Equality | None:
        """Return what tells a table's keys, or None where equal keys are equal texts."""
        return equality_of(self.backup, self.live, (backup, live), self._writer_of_live, key)

    @cached_property
    def _says_no_keys(self) -> bool:
        """Whether the backup lacks the part that declares keys, rather than the keys.

        So it seems where it has none, and live has them on most tables.
        """
        if self.backup.damage:
            return True
        if self.backup.pinned:  # a database has no part that could be left out
            return False
        shared = with_keys = 0
        for name, table in self.backup.catalog.tables.items():
            if table.keys:
                return False
            now = self.live.catalog.tables.get(name)
            if now is not None:
                shared += 1
                with_keys += bool(now.keys)
        return 2 * with_keys > shared

    # --- sides --------------------------------------------------------

    def sides(
        self, backup: Table, live: Table, columns: Columns, *, as_far_as_it_goes: bool = False
    ) -> Sides:
        """Make both sides of a table ready.

        Args:
            backup, live: the table on either side.
            columns: what to compare, and what to count.
            as_far_as_it_goes: end where the backup breaks off, without an error.
        """
        compared = columns.compared
        ours = self.whole_backup(backup)
        ours.counted = columns.lost
        theirs = self._side(self.live, self._writer_of_live, live, _asked_of_live(live, columns))
        long = Long(self._values)
        ours.long = theirs.long = long
        ours.mark, theirs.mark = long.see, long.keep_new
        for column, (was, now) in schema.changed_types(backup, live, compared).items():
            casts = casts_between(was, now, self._writer_of_backup, self._writer_of_live)
            if casts:
                ours.casts[column], theirs.casts[column] = casts
        if as_far_as_it_goes or ours.comparable:
            ours.look_closely()
        if self.backup.is_partial:
            for column in bare_columns(live, compared, self._writer_of_live):
                for side in (ours, theirs):
                    side.casts[column] = after(side.casts.get(column), bare)
        zeros = Zeros.of(backup, ours.segments, self._writer_of_backup)
        for column in zeros.columns:
            if column in compared:
                for side in (ours, theirs):
                    side.casts[column] = after(side.casts.get(column), zeros)
        if as_far_as_it_goes:
            ours.segments = [_AsFarAsItGoes(s) for s in ours.segments]
        return Sides(ours, theirs, compared, zeros)

    def whole_backup(self, table: Table) -> Side:
        """Make the backup's side of a table ready by itself, with all of its columns."""
        columns = schema.stored_columns(table)
        side = self._side(self.backup, self._writer_of_backup, table, columns)
        side.long = Long(self._values)
        return side

    def unsure_casts(self, backup: Table, live: Table, columns: Columns) -> tuple[str, ...]:
        """What to say of columns whose values are equal only under an assumption."""
        unsure = []
        for column, (was, now) in schema.changed_types(backup, live, columns.compared).items():
            if assumes_utc(was, now, self._writer_of_backup, self._writer_of_live):
                unsure.append(column)
        if not unsure:
            return ()
        return (f"{', '.join(unsure)}: {ASSUMES_UTC}",)

    def _side(self, source: Source, writer: Writer, table: Table, wanted: tuple[str, ...]) -> Side:
        held = self._held.get((table.name, source is self.live))
        segments = [held] if held else source.segments(table.name, wanted)
        stored = []
        for column in wanted:
            if all(column in segment.columns for segment in segments):
                stored.append(column)
        return Side(segments, tuple(stored), canonical_texts(writer, table, stored))


def _asked_of_live(live: Table, columns: Columns) -> tuple[str, ...]:
    """What live is asked for: the columns that are compared, then those that are only kept."""
    compared = columns.compared
    extra = [c for c in schema.stored_columns(live) if c not in compared]
    return (*compared, *extra)


def canonical_texts(
    writer: Writer, table: Table, columns: list[str] | tuple[str, ...]
) -> dict[str, Canonical]:
    """Return, by those columns whose text is not canonical as it stands, what makes it so."""
    found = {}
    for column in table.columns:
        if column.name not in columns:
            continue
        change = writer.canonical(column.type)
        if change:
            found[column.name] = change
    return found


def _is_generated(table: Table, column: str) -> bool:
    found = table.column(column)
    return found is not None and bool(found.generated)


def _possible_keys(live: Table, backup: Table) -> tuple[Key, ...]:
    """Those of live's keys that the backup may have had.

    The columns of a primary key are NOT NULL where tables are defined.
    """
    nullable = {c.name for c in backup.columns if c.nullable}
    return tuple(k for k in live.keys if not k.primary or nullable.isdisjoint(k.columns))


class _AsFarAsItGoes(Segment):
    """A segment that ends where its backup is cut, without a word."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.table, segment.columns)
        self._segment = segment

    def blocks(self) -> Iterator[Block]:
        try:
            yield from self._segment.blocks()
        except DamagedBackupError:
            return
