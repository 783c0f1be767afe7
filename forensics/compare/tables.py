"""What differs: both sides, table by table, into the case."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from importlib import import_module
from queue import SimpleQueue

import duckdb

from forensics.compare import keys, schema
from forensics.compare.canonical import Writer
from forensics.compare.casts import ASSUMES_UTC, assumes_utc, casts_between
from forensics.compare.rows import Counts, Engine, Found, Side
from forensics.errors import (
    BackupError,
    CompareError,
    DamagedBackupError,
    ForensicsError,
    LiveError,
    RepeatedKeyError,
    UsageError,
    redact,
)
from forensics.evidence.live.source import LOCK_TIMEOUT, STATEMENT_TIMEOUT
from forensics.evidence.source import Block, Segment, Snapshot, Source
from forensics.model import Key, Table, TableName, TableResult
from forensics.store import Store, record

__all__ = ["Listener", "Options", "compare_sources", "matching"]


_FORESEEN = (
    ForensicsError,
    duckdb.Error,
    OSError,
    MemoryError,
)  # any other error fails its table too, and calls itself a fault
_WAITS = (0.2, 1.0, 3.0)  # seconds before a table is tried again whose query a standby cancelled


@dataclass(frozen=True)
class Options:
    """What to compare, and how.

    Attributes:
        schemas, tables: shell patterns; a table's is held against its name and against schema.name. Empty means all.
        keys: by table (as in `tables`), the columns that tell its rows apart.
        jobs: how many tables are compared at a time. Each takes a connection to a database, and the comparison one more.
        resume: leave alone what the case holds already.
        memory: how much the engine may hold before it spills to disk, as DuckDB writes it. The process needs more (README).
        database: which database of a `pg_dumpall` file the backup is.
        junctions: by table, the (column, parent table) pairs of its links: what the user knows to be a junction table.
        not_junctions: tables that the user knows to be none.
        verify: compare every table a second time, whole rows byte for byte, and fail it where the two disagree.
        lock_timeout, statement_timeout: how long a statement on a database may wait for a lock, and run; "0" is without limit.
    """

    schemas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    jobs: int = 1
    resume: bool = False
    memory: str = "600MB"
    database: str | None = None
    junctions: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    not_junctions: tuple[str, ...] = ()
    verify: bool = False
    lock_timeout: str = LOCK_TIMEOUT
    statement_timeout: str = STATEMENT_TIMEOUT


class Listener:
    """Is told how far a comparison is. This one keeps silent."""

    def begins(self, tables: int, rows: int) -> None:
        """The comparison begins: so many tables, and about so many rows on the live side."""

    def rows(self, table: TableName, rows: int) -> None:
        """So many more rows of a table were read."""

    def ends(self, result: TableResult) -> None:
        """A table is done."""

    def minds(self, text: str) -> None:
        """Something that people should know at once, in a sentence."""


def matching(name: TableName, schemas: Sequence[str], tables: Sequence[str]) -> bool:
    """Whether a table is among those that shell patterns choose."""
    if schemas and not any(fnmatchcase(name.schema, p) for p in schemas):
        return False
    spelled = (name.table, f"{name.schema}.{name.table}", str(name))
    return not tables or any(fnmatchcase(s, p) for p in tables for s in spelled)


def compare_sources(
    backup: Source, live: Source, store: Store, options: Options, listener: Listener | None = None
) -> None:
    """Compare every table of both sides and record what is found, each in a transaction of its own.

    A table that cannot be compared is recorded as failed, with the reason; the others go on.

    Raises:
        UsageError: the patterns choose no table, or a key names one that is not there.
        EvidenceError: a side's catalogue cannot be read.
        LiveError: a database was lost. The tables that were compared are kept; those that were not begun have no result.
    """
    listener = listener or Listener()
    ours = {t.name: t for t in backup.catalog.roots}
    if not ours:
        raise BackupError(
            "The backup defines no table and holds no rows: nothing can be compared with it.",
            "Was only a section of it dumped, or another database? inspect says what it holds.",
        )
    theirs = {t.name: t for t in live.catalog.roots if t.name in ours or t.extension is None}
    # A backup of a partition alone (pg_dump --table=PARTITION) is held against that partition.
    theirs |= {
        n: t for n in ours if n not in theirs and (t := live.catalog.tables.get(n)) and t.parent
    }
    names = [n for n in sorted({*ours, *theirs}) if matching(n, options.schemas, options.tables)]
    if not names:
        raise UsageError(
            "No table is chosen."
            if options.tables or options.schemas
            else "Neither side has a table.",
            "Check --schema and --table." if options.tables or options.schemas else None,
        )
    for pattern in options.keys:
        if not any(matching(n, (), (pattern,)) for n in names):
            raise UsageError(
                f"--key names {pattern}, and there is no such table.",
                "Write --key TABLE=COLUMN,COLUMN.",
            )
    done = {r.name for r in store.results() if r.state != "failed"} if options.resume else set()
    known = {r.name: store.number(r.name) for r in store.results()}
    last = max((n for n in known.values() if n is not None), default=0)
    jobs = []
    for name in names:
        if name in done:
            continue
        number = known.get(name)
        if number is None:
            last += 1
            number = last
        jobs.append(_Job(name, number, ours.get(name), theirs.get(name)))
    listener.begins(len(jobs), sum(max(j.live.rows_estimate, 0) for j in jobs if j.live))
    with _Workers(backup, live, store, options, listener) as workers:
        workers.run(jobs)


class _Lost(Exception):  # noqa: N818 - it is caught where it is raised for
    """A database is lost: `first` is what the table met, `error` what that means for all of them."""

    def __init__(self, first: LiveError, error: LiveError) -> None:
        super().__init__(str(error))
        self.first, self.error = first, error


@dataclass(frozen=True)
class _Job:
    name: TableName
    number: int
    backup: Table | None
    live: Table | None


class _Workers:
    """The threads that compare tables, each with a cursor of its own."""

    def __init__(
        self, backup: Source, live: Source, store: Store, options: Options, listener: Listener
    ) -> None:
        self._backup, self._live = backup, live
        self._store, self._options, self._listener = store, options, listener
        self._writers = {id(side): Writer.of(side) for side in (backup, live)}
        self._contents = backup.contents()
        self._engines: SimpleQueue[tuple[duckdb.DuckDBPyConnection, Engine]] = SimpleQueue()
        self._made: list[tuple[duckdb.DuckDBPyConnection, Engine]] = []
        self._stopped = threading.Event()

    def __enter__(self) -> _Workers:
        # DuckDB imports pandas the first time that it is given Arrow batches: a quarter of a second, spent while the
        # server is at work rather than after it.
        threading.Thread(target=import_module, args=("pandas",), name="pandas", daemon=True).start()
        for number in range(max(1, self._options.jobs)):
            cursor = self._store.connection.cursor()
            self._made.append((cursor, Engine(cursor, number)))
            self._engines.put(self._made[-1])
        return self

    def __exit__(self, *_: object) -> None:
        for cursor, engine in self._made:
            if not self._stopped.is_set():
                engine.close()
            cursor.close()

    def run(self, jobs: Sequence[_Job]) -> None:
        # Even one table at a time is compared in a thread: this one waits, and so a Ctrl-C finds it at once.
        with ThreadPoolExecutor(len(self._made), thread_name_prefix="compare") as pool:
            try:
                for future in as_completed([pool.submit(self._run, job) for job in jobs]):
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._stop()
                raise

    def _stop(self) -> None:
        """Have the threads end at once: what they wait for is taken from them, and nothing of theirs is recorded."""
        self._stopped.set()
        for side in (self._live, self._backup):
            side.close()
        for cursor, _ in self._made:
            cursor.interrupt()

    def _run(self, job: _Job) -> None:
        if self._stopped.is_set():
            return
        cursor, engine = self._engines.get()
        started = time.monotonic()
        lost: LiveError | None = None
        try:
            try:
                result = self._patiently(job, cursor, engine, started)
            except _Lost as loss:
                lost = loss.error
                raise loss.first from lost
        except Exception as error:
            if self._stopped.is_set():
                return
            if not isinstance(error, _FORESEEN) and os.environ.get("FORENSICS_DEBUG"):
                raise
            # Said of this table and recorded; the run as a whole then ends with 2.
            result = TableResult(
                job.name, "failed", reason=_reason(error), seconds=time.monotonic() - started
            )
            record(cursor, job.number, result)
        finally:
            try:
                if not self._stopped.is_set():
                    engine.clean()
            finally:
                self._engines.put((cursor, engine))
        for side in (self._backup, self._live):
            for text in side.news():
                self._listener.minds(text)
        self._listener.ends(result)
        if lost:
            raise lost  # the other tables would only fail for the same reason

    def _patiently(
        self, job: _Job, cursor: duckdb.DuckDBPyConnection, engine: Engine, started: float
    ) -> TableResult:
        """Compare a table; begin again where a standby cancelled the query, or ended the snapshot, because it has to replay."""
        for seconds in (*_WAITS, None):
            try:
                return self._one(job, cursor, engine, started)
            except LiveError as error:
                try:
                    live, backup = self._live.recovers(error), self._backup.recovers(error)
                except LiveError as lost:
                    raise _Lost(error, lost) from error
                if not (live or backup) or seconds is None or self._stopped.wait(seconds):
                    raise
                engine.clean()
        raise AssertionError("not reached")

    def _one(
        self, job: _Job, cursor: duckdb.DuckDBPyConnection, engine: Engine, started: float
    ) -> TableResult:
        if job.backup is None:
            return self._new(job, cursor)
        held = self._contents.get(job.name)
        if held is None or not held.data:
            if self._backup.damage:
                raise DamagedBackupError(
                    f"The backup breaks off before the rows of table {job.name}: {self._backup.damage}.",
                    "Look for a complete copy of the backup, and go on with --resume.",
                )
            raise BackupError(
                f"The backup defines table {job.name} and holds no rows of it: they were never dumped.",
                "Was it made with --schema-only or --exclude-table-data? Another backup may hold them.",
            )
        if job.live is None:
            return self._dropped(job, cursor, engine, started)
        if self._live.definition_changed(job.name):
            raise LiveError(
                f"Table {job.name} of the live database was altered or dropped while the comparison ran.",
                "Go on with --resume: it takes the table as it is then.",
            )
        return self._both(job, cursor, engine, started)

    def _new(self, job: _Job, cursor: duckdb.DuckDBPyConnection) -> TableResult:
        snapshot = self._live.snapshot
        rows = self._live.count(job.name)
        result = TableResult(
            job.name,
            "new",
            backup_rows=0,
            live_rows=rows,
            missing=0,
            added=rows,
            changed=0,
            unchanged=0,
        )
        record(cursor, job.number, result, read=_moments(live=snapshot))
        return result

    def _dropped(
        self, job: _Job, cursor: duckdb.DuckDBPyConnection, engine: Engine, started: float
    ) -> TableResult:
        assert job.backup is not None
        side = self._side(self._backup, job.backup, _stored(job.backup))
        key = job.backup.primary_key
        cursor.begin()
        try:
            counts = engine.keep_all(job.number, side, lambda n: self._listener.rows(job.name, n))
            result = _result(
                TableResult(
                    job.name,
                    "dropped",
                    key=key.columns if key else (),
                    key_source="primary key" if key else "all columns",
                    columns=side.stored,
                ),
                counts,
                started,
            )
            record(
                cursor,
                job.number,
                result,
                columns={"backup": side.stored},
                read=_moments(backup=side.snapshot),
            )
            cursor.commit()
        except BaseException:
            cursor.rollback()
            raise
        return result

    def _both(
        self, job: _Job, cursor: duckdb.DuckDBPyConnection, engine: Engine, started: float
    ) -> TableResult:
        assert job.backup is not None and job.live is not None
        common, left_out = self._columns(job.backup, job.live)
        changes = schema.drift(job.backup, job.live)
        lost = tuple(
            c.column for c in changes if c.change == "dropped" and c.column in _stored(job.backup)
        )
        given = next(
            (k for p, k in self._options.keys.items() if matching(job.name, (), (p,))), None
        )
        # A backup that breaks off has not said its keys, and one without its last section never does: live's word has to do.
        told = (
            replace(job.backup, keys=_possible_keys(job.live, job.backup))
            if self._says_no_keys and not job.backup.keys
            else job.backup
        )
        choice = keys.choose(told, job.live, common, given)
        try:
            ours, theirs, found = self._compared(job, engine, (common, lost), choice.columns)
        except RepeatedKeyError:
            if told is job.backup or choice.source == "given":
                raise
            engine.clean()  # the key was live's alone: the backup may repeat it
            choice = keys.Choice((), "all columns")
            ours, theirs, found = self._compared(job, engine, (common, lost), ())
        except DamagedBackupError as error:
            engine.clean()
            raise self._lower_bound(job, engine, common, choice.columns, error) from error
        changes = [
            replace(c, values_missing=ours.values.get(c.column)) if c.change == "dropped" else c
            for c in changes
        ]
        numeric = [c for c in common if _type_of(job.backup, c).startswith("numeric")]
        rescaled = engine.differ_in_scale_only(found, found.columns, numeric)
        notes = (
            choice.notes
            + left_out
            + _rewritten_keys(found.counts)
            + self._unsure_casts(job.backup, job.live, common)
        )
        if job.live.persistence == "unlogged" and found.counts.missing:
            notes += (
                "the table is unlogged: a crash or a failover of live empties it, and then nobody deleted its rows",
            )
        if rescaled:
            notes += (
                f"{rescaled} of the changed rows differ only in the scale of numbers, as 1.50 does from 1.5",
            )
        result = _result(
            TableResult(
                job.name,
                "compared",
                key=choice.columns,
                key_source=choice.source,
                columns=common,
                notes=notes,
            ),
            found.counts,
            started,
        )
        cursor.begin()
        try:
            engine.keep(job.number, found)
            record(
                cursor,
                job.number,
                result,
                changes,
                found.columns,
                _moments(backup=ours.snapshot, live=theirs.snapshot),
            )
            cursor.commit()
        except BaseException:
            cursor.rollback()
            raise
        if self._options.verify:
            engine.clean()
            self._verify(job, engine, (ours, theirs), found)
        return result

    def _compared(
        self,
        job: _Job,
        engine: Engine,
        columns: tuple[tuple[str, ...], tuple[str, ...]],
        key: tuple[str, ...],
    ) -> tuple[Side, Side, Found]:
        assert job.backup is not None and job.live is not None
        ours, theirs = self._sides(job.backup, job.live, *columns)
        return (
            ours,
            theirs,
            engine.compare(
                ours, theirs, columns[0], key, lambda n: self._listener.rows(job.name, n)
            ),
        )

    @cached_property
    def _says_no_keys(self) -> bool:
        """Whether the backup lacks the part that declares keys, rather than the keys: it has none, and live has them on most tables."""
        if self._backup.damage:
            return True
        if self._backup.pinned:  # a database has no part that could be left out
            return False
        ours, theirs = self._backup.catalog.tables, self._live.catalog.tables
        shared = [theirs[n] for n in ours if n in theirs]
        return not any(t.keys for t in ours.values()) and 2 * sum(
            bool(t.keys) for t in shared
        ) > len(shared)

    def _columns(self, backup: Table, live: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns to compare, and what to say of those that the backup's rows leave out: a COPY may name only some."""
        held = [set(s.columns) for s in self._backup.segments(backup.name, _stored(backup))]
        common = schema.compared_columns(backup, live)
        lacking = [c for c in common if any(c not in columns for columns in held)]
        said = [f"the backup's rows have no {', '.join(lacking)}: not compared"] if lacking else []
        worked_out = [c for c in _stored(backup) if (now := live.column(c)) and now.generated]
        if worked_out:
            said.append(
                f"live works {', '.join(worked_out)} out where the backup stores values: they are not compared"
            )
        return tuple(c for c in common if c not in lacking), tuple(said)

    def _lower_bound(
        self,
        job: _Job,
        engine: Engine,
        common: tuple[str, ...],
        key: tuple[str, ...],
        error: DamagedBackupError,
    ) -> DamagedBackupError:
        """Say what the rows before a cut prove all the same: what is missing of them is missing, whatever came after."""
        assert job.backup is not None and job.live is not None
        ours, theirs = self._sides(job.backup, job.live, common, ())
        ours.segments = [_AsFarAsItGoes(s) for s in ours.segments]
        counts = engine.compare(ours, theirs, common, key, lambda n: None).counts
        proven = f"Of the {counts.backup_rows} rows that could be read, {counts.missing} are missing from live: at least so many are."
        return DamagedBackupError(f"{error.message} {proven}", error.hint)

    def _verify(self, job: _Job, engine: Engine, sides: tuple[Side, Side], found: Found) -> None:
        """Hold the counts to a second comparison that trusts no hash, of the same rows: those of the same snapshot.

        Raises:
            CompareError: the two disagree.
        """
        counts = found.counts
        ours, theirs = (s.anew() for s in sides)
        only = engine.differences(ours, theirs, found.compared, lambda n: None)
        if only != (counts.missing + counts.changed, counts.added + counts.changed):
            raise CompareError(
                f"Table {job.name}: compared byte for byte, {only[0]} rows are in the backup only and {only[1]} in live only, "
                f"where {counts.missing} were found missing, {counts.added} added and {counts.changed} changed.",
                "This is a fault of the kit or of the machine's memory: report it, with the case.",
            )

    def _sides(
        self, backup: Table, live: Table, common: tuple[str, ...], lost: tuple[str, ...]
    ) -> tuple[Side, Side]:
        """Both sides of a table, ready to be compared on common columns; `lost` ones of the backup are counted."""
        extra = tuple(c for c in _stored(live) if c not in common)
        ours = self._side(self._backup, backup, _stored(backup), lost)
        theirs = self._side(self._live, live, (*common, *extra))
        for column, types in _changed_types(backup, live, common).items():
            if casts := casts_between(*types, *self._both_writers):
                ours.casts[column], theirs.casts[column] = casts
        return ours, theirs

    @property
    def _both_writers(self) -> tuple[Writer, Writer]:
        return self._writers[id(self._backup)], self._writers[id(self._live)]

    def _unsure_casts(self, backup: Table, live: Table, common: Sequence[str]) -> tuple[str, ...]:
        """What to say of columns whose old and new values are equal only under an assumption."""
        changed = _changed_types(backup, live, common)
        unsure = [c for c, types in changed.items() if assumes_utc(*types, *self._both_writers)]
        return (f"{', '.join(unsure)}: {ASSUMES_UTC}",) if unsure else ()

    def _side(
        self, source: Source, table: Table, stored: tuple[str, ...], counted: tuple[str, ...] = ()
    ) -> Side:
        writer = self._writers[id(source)]
        segments = source.segments(table.name, stored)
        stored = tuple(c for c in stored if all(c in s.columns for s in segments))
        canonical = {
            c.name: change
            for c in table.columns
            if c.name in stored and (change := writer.canonical(c.type))
        }
        return Side(segments, stored, canonical, counted=counted)


def _possible_keys(live: Table, backup: Table) -> tuple[Key, ...]:
    """Those of live's keys that the backup may have had: the columns of a primary key are NOT NULL where tables are defined."""
    nullable = {c.name for c in backup.columns if c.nullable}
    return tuple(k for k in live.keys if not k.primary or nullable.isdisjoint(k.columns))


class _AsFarAsItGoes(Segment):
    """A segment that ends where its backup is cut, without a word: for what can be said of the rows before."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.table, segment.columns)
        self._segment = segment

    def blocks(self) -> Iterator[Block]:
        try:
            yield from self._segment.blocks()
        except DamagedBackupError:
            return


def _stored(table: Table) -> tuple[str, ...]:
    return tuple(c.name for c in table.columns if not c.generated)


def _moments(**snapshots: Snapshot | None) -> dict[str, dict[str, str]]:
    """When each side's rows were read, of those that are databases."""
    return {
        side: {"snapshot": s.identifier, "taken_at": s.taken_at.isoformat()}
        for side, s in snapshots.items()
        if s
    }


def _type_of(table: Table, column: str) -> str:
    found = table.column(column)
    return found.type if found else ""


def _changed_types(
    backup: Table, live: Table, columns: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """The columns whose type differs between the sides, each with both types."""
    pairs = {c: (_type_of(backup, c), _type_of(live, c)) for c in columns}
    return {c: types for c, types in pairs.items() if types[0] != types[1]}


def _result(result: TableResult, counts: Counts, started: float) -> TableResult:
    return replace(
        result,
        backup_rows=counts.backup_rows,
        live_rows=counts.live_rows,
        missing=counts.missing,
        added=counts.added,
        changed=counts.changed,
        unchanged=counts.unchanged,
        seconds=time.monotonic() - started,
    )


def _rewritten_keys(counts: Counts) -> tuple[str, ...]:
    """What to say where no row kept its key and about as many are there as before."""
    some = counts.backup_rows and counts.missing == counts.backup_rows and counts.live_rows
    if (
        some
        and counts.added == counts.live_rows
        and 0.8 <= counts.live_rows / counts.backup_rows <= 1.25
    ):
        return (
            "no row is found under its key and about as many are new: the keys were probably rewritten, not the rows lost",
        )
    return ()


def _reason(error: BaseException) -> str:
    if isinstance(error, ForensicsError):
        return str(error)
    words = redact(str(error).splitlines()[0] if str(error) else type(error).__name__)
    if isinstance(error, duckdb.OutOfMemoryException) and "offload" in words:
        return f"The disk that holds the case has no room to spill to: {words} Make room there, or allow more with --memory."
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return f"Memory ran out: {words} Allow more with --memory, or make room on the disk for spilling."
    if isinstance(error, OSError):
        return f"{words}. Is the disk full?"
    if isinstance(error, _FORESEEN):
        return words
    return f"The kit failed in a way that it did not foresee: {type(error).__name__}: {words}. Set FORENSICS_DEBUG=1 to see where, and report it."
