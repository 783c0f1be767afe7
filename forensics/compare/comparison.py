"""One table, compared from its sides to its record in the case."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from forensics.compare import keys, notes, rows, schema
from forensics.compare.equality import Equality
from forensics.compare.ledger import Ledger, transaction
from forensics.compare.lines import unheard
from forensics.compare.options import Listener, Options
from forensics.compare.preparation import Columns, Preparation
from forensics.compare.rows import Counts, Engine, Found
from forensics.compare.sides import Sides
from forensics.compare.wire.choice import SlowError, Wire
from forensics.compare.wire.lessening import Lessened
from forensics.errors import (
    CompareError,
    DamagedBackupError,
    EmptyBackupError,
    LiveError,
    RepeatedKeyError,
)
from forensics.evidence.migrations import is_history
from forensics.evidence.samples import keep
from forensics.evidence.source import Snapshot
from forensics.model import ColumnChange, Table, TableName, TableResult, Unsound
from forensics.store import Record, record
from forensics.store.values import marks_in

if TYPE_CHECKING:
    from forensics.compare.cluster.reduced import Ahead


@dataclass(frozen=True)
class Job:
    """A table to compare, its number in the case, and how either side defines it."""

    name: TableName
    number: int
    backup: Table | None
    live: Table | None


@dataclass(frozen=True)
class Bench:
    """What a thread compares with: a cursor of the case, an engine on it; the ledger, the wire and
    what Spark reduces are those of all."""

    cursor: duckdb.DuckDBPyConnection
    engine: Engine
    ledger: Ledger
    wire: Wire
    ahead: Ahead | None = None


class Comparison:
    """Compares one table, and records what is found. `run` may be called again after an error.

    Args:
        job: the table.
        ready: both sources.
        bench: what to compare with; nobody else uses it meanwhile.
        options: what is asked for.
        listener: is told how far it is.
    """

    def __init__(
        self, job: Job, ready: Preparation, bench: Bench, options: Options, listener: Listener
    ) -> None:
        self._job, self._ready, self._bench = job, ready, bench
        self._options, self._listener = options, listener
        self._started = time.monotonic()
        self._is_history = any(is_history(table) for table in (job.backup, job.live) if table)
        self._equality: Equality | None = None  # of its keys
        self._kept = False  # whether rows of an earlier attempt may be in the case
        self._read: Lessened | None = None  # what was read of both sides, and why all of it
        self._why_whole: tuple[str, ...] = ()

    def run(self) -> TableResult:
        """Compare the table and record the result.

        Raises:
            ForensicsError: it cannot be compared.
        """
        backup, live = self._job.backup, self._job.live
        if backup is None:
            return self._new()
        self._require_rows()
        if live is None:
            return self._dropped(backup)
        if self._ready.live.definition_changed(backup.name):
            raise LiveError(
                f"Table {backup.name} of the live database was altered or dropped "
                "while the comparison ran.",
                "Go on with --resume: it takes the table as it is then.",
            )
        try:
            return self._both(backup, live)
        finally:
            self._let_go()

    def failed(self, reason: str, unsound: Unsound | None = None) -> TableResult:
        """Record that the table could not be compared; `unsound` as a result has it."""
        result = TableResult(
            self._job.name,
            "failed",
            reason=reason,
            history=self._is_history,
            seconds=time.monotonic() - self._started,
            unsound=unsound,
        )
        self._bench.ledger.add(Record(self._job.number, result))
        return result

    # --- a table that only one side has -------------------------------

    def _new(self) -> TableResult:
        snapshot = self._ready.live.snapshot
        counted = self._ready.live.count(self._job.name)
        counts = Counts(0, counted, missing=0, added=counted, changed=0, unchanged=0)
        result = self._counted(TableResult(self._job.name, "new"), counts)
        read = _moments(live=snapshot)
        self._bench.ledger.add(Record(self._job.number, result, read=read))
        return result

    def _require_rows(self) -> None:
        """Raise where the backup holds no rows of the table that were dumped."""
        name = self._job.name
        held = self._ready.contents.get(name)
        if held is not None and held.data:
            return
        damage = self._ready.backup.damage
        if damage:
            raise DamagedBackupError(
                f"The backup breaks off before the rows of table {name}: {damage}.",
                "Look for a complete copy of the backup, and go on with --resume.",
            )
        raise EmptyBackupError(
            f"The backup defines table {name} and holds no rows of it: they were never dumped.",
            "Was it made with --schema-only or --exclude-table-data? Another backup may hold them.",
        )

    def _dropped(self, backup: Table) -> TableResult:
        side = self._ready.whole_backup(backup)
        side.look_closely()
        choice = keys.Choice((), "all columns")
        if backup.primary_key:
            choice = keys.Choice(backup.primary_key.columns, "primary key")
        cursor, number = self._bench.cursor, self._job.number
        with transaction(cursor):
            counts = rows.keep_all(self._bench.engine, number, side, choice.columns, self._hear)
            result = TableResult(
                backup.name,
                "dropped",
                key=choice.columns,
                key_source=choice.source,
                columns=side.stored,
            )
            result = self._counted(result, counts)
            columns = {"backup": side.stored}
            read = _moments(backup=side.snapshot)
            record(cursor, Record(number, result, columns=columns, read=read))
        return result

    # --- a table that both sides have ---------------------------------

    def _both(self, backup: Table, live: Table) -> TableResult:
        changes, columns = self._ready.plan(backup, live)
        choice, sides, found = self._compare(backup, live, columns)
        rescaled = 0
        if found.counts.changed:
            numeric = _numeric(backup, columns.compared)
            rescaled = self._bench.engine.count_in_scale_only(found, numeric)
        result = TableResult(
            backup.name,
            "compared",
            key=choice.columns,
            key_source=choice.source,
            columns=columns.compared,
            wire="low" if self._read and self._read.spool else None,
            notes=(
                *choice.notes,
                *columns.notes,
                *self._of_counts(found.counts),
                *self._ready.unsure_casts(backup, live, columns),
                *notes.of_persistence(live, found.counts),
                *notes.of_scale(rescaled),
                *sides.zeros.notes(),
                *(self._equality.notes if self._equality else ()),
                *self._why_whole,
            ),
        )
        result = self._counted(result, found.counts)
        self._keep(result, _with_values(changes, sides.backup.values), sides, found)
        if self._options.verify:
            self._bench.engine.clean()
            self._verify(sides, found.counts)
        return result

    def _compare(
        self, backup: Table, live: Table, columns: Columns
    ) -> tuple[keys.Choice, Sides, Found]:
        choice = self._ready.key(backup, live, columns)
        engine = self._bench.engine
        self._equality = self._ready.equality(backup, live, choice.columns)
        try:
            try:
                sides, found = self._look(backup, live, columns, choice)
            except SlowError:
                engine.clean()
                sides, found = self._look(backup, live, columns, choice)
        except RepeatedKeyError:
            if not choice.lent:
                raise
            engine.clean()
            self._let_go()
            choice = keys.Choice((), "all columns")
            sides = self._ready.sides(backup, live, columns)
            found = rows.compare(engine, sides, (), self._hear)
        except DamagedBackupError as error:
            engine.clean()
            proven = self._lower_bound(backup, live, replace(columns, lost=()), choice)
            raise DamagedBackupError(f"{error.message} {proven}", error.hint) from error
        return choice, sides, found

    def _look(
        self, backup: Table, live: Table, columns: Columns, choice: keys.Choice
    ) -> tuple[Sides, Found]:
        """Compare as many of the rows as have to be read.

        Raises:
            SlowError: they come slowly; the next time fewer are read.
        """
        sides = self._ready.sides(backup, live, columns)
        if self._bench.ahead:
            return self._look_at_reduced(sides, choice, self._bench.ahead)
        self._read, why = self._bench.wire.lessened(
            sides, live, choice, self._ready.contents[backup.name].bytes, self._bench.cursor
        )
        self._why_whole = (why,) if why else ()
        found = rows.compare(
            self._bench.engine,
            self._read.sides,
            choice.columns,
            self._hear,
            declared=_is_declared(choice, sides),
            equality=self._equality,
        )
        self._hear(self._read.settled)
        return self._read.sides, self._read.completed(found)

    def _look_at_reduced(
        self, sides: Sides, choice: keys.Choice, ahead: Ahead
    ) -> tuple[Sides, Found]:
        """Compare the rows that Spark finds no partner for."""
        found = rows.compare(
            self._bench.engine,
            sides,
            choice.columns,
            self._hear,
            declared=_is_declared(choice, sides),
            equality=self._equality,
            afar=ahead.of(sides, choice.columns),
        )
        return sides, found

    def _let_go(self) -> None:
        """Forget what was read of both sides."""
        if self._read:
            self._read.close()
        self._read, self._why_whole = None, ()

    def _lower_bound(
        self, backup: Table, live: Table, columns: Columns, choice: keys.Choice
    ) -> str:
        """Say what the rows before a cut prove all the same.

        What is missing of them is missing, whatever came after.
        """
        sides = self._ready.sides(backup, live, columns, as_far_as_it_goes=True)
        engine = self._bench.engine
        try:
            counts = rows.compare(
                engine,
                sides,
                choice.columns,
                unheard,
                declared=_is_declared(choice, sides),
                equality=self._equality,
            ).counts
        except RepeatedKeyError:
            engine.clean()
            sides = self._ready.sides(backup, live, columns, as_far_as_it_goes=True)
            counts = rows.compare(engine, sides, (), unheard).counts
        if not counts.backup_rows:
            return "None of its rows could be read, so nothing is known of them."
        return (
            f"Of the {counts.backup_rows} rows that could be read, {counts.missing} are missing "
            "from live: at least so many are."
        )

    def _keep(
        self, result: TableResult, changes: list[ColumnChange], sides: Sides, found: Found
    ) -> None:
        cursor, number = self._bench.cursor, self._job.number
        read = _moments(backup=sides.backup.snapshot, live=sides.live.snapshot)
        line = Record(number, result, changes, found.columns, read)
        if not (result.differs or self._kept):
            self._bench.ledger.add(line)
            return
        self._kept = True
        if sides.backup.sample and self._read and not self._read.spool:
            keep(self._ready.backup, self._job.name, sides.backup.sample)
        self._bench.ledger.take_back(number)
        with transaction(cursor):
            self._bench.engine.keep(number, found)
            if sides.backup.long and sides.backup.long.lacking:
                rows.keep_lacking(sides, marks_in(cursor, f"rows.live_{number}"))
            record(cursor, line)

    def _verify(self, sides: Sides, counts: Counts) -> None:
        """Hold the counts to a second comparison that trusts no hash, of the same rows.

        Raises:
            CompareError: the two disagree.
        """
        only_backup, only_live = rows.differences(self._bench.engine, sides.anew())
        agree = (
            only_backup == counts.missing + counts.changed + counts.repeated
            and only_live == counts.added + counts.changed
        )
        if not agree:
            raise CompareError(
                f"Table {self._job.name}: compared byte for byte, {only_backup} rows are in the "
                f"backup only and {only_live} in live only, where {counts.missing} were found "
                f"missing, {counts.added} added and {counts.changed} changed.",
                "This is a fault of the kit or of the machine's memory: report it, with the case.",
            )

    # --- what they share ----------------------------------------------

    def _of_counts(self, counts: Counts) -> tuple[str, ...]:
        """What to say of the counts alone."""
        if self._is_history:
            return notes.of_history(counts)
        return notes.of_counts(counts)

    def _hear(self, number: int) -> None:
        self._listener.rows(self._job.name, number)

    def _counted(self, result: TableResult, counts: Counts) -> TableResult:
        seconds = time.monotonic() - self._started
        found = {**vars(result), **vars(counts)}  # dataclasses.replace takes longer
        return TableResult(**{**found, "history": self._is_history, "seconds": seconds})


def _is_declared(choice: keys.Choice, sides: Sides) -> bool:
    """Whether both sides declare the key, of the same types: only a fault makes it repeat."""
    if choice.lent or choice.source not in ("primary key", "unique"):
        return False
    return not any(column in sides.backup.casts for column in choice.columns)


def _numeric(table: Table, columns: Sequence[str]) -> list[str]:
    """Those of some columns that hold numbers of any scale."""
    found = []
    for column in columns:
        if schema.type_of(table, column).startswith("numeric"):
            found.append(column)
    return found


def _with_values(changes: list[ColumnChange], values: dict[str, int]) -> list[ColumnChange]:
    """The changes, with the number of values that each dropped column took."""
    found = []
    for change in changes:
        if change.change == "dropped":
            change = replace(change, values_missing=values.get(change.column))
        found.append(change)
    return found


def _moments(**snapshots: Snapshot | None) -> dict[str, dict[str, str]]:
    """When each side's rows were read, of those that are databases."""
    found = {}
    for side, snapshot in snapshots.items():
        if snapshot:
            taken_at = snapshot.taken_at.isoformat()
            found[side] = {"snapshot": snapshot.identifier, "taken_at": taken_at}
    return found
