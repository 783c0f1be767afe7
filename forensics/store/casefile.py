"""The case file: `CASE/case.duckdb`. Results go in, results come out.

Layout: schema `kit` holds one row a fact (`meta`) and one a compared table (`tables`); schema
`rows` holds, for table number N, `backup_N` and `live_N`: the rows that differ, whole, one VARCHAR
a column (`f0`, `f1`, … in the order of `tables.backup_columns` and `tables.live_columns`; numbered,
because DuckDB folds the case of names and PostgreSQL does not), with `pair`, by which the two
halves of a changed row find each other, and `state`. Values are PostgreSQL's text; of long ones,
marks (`store.values`). Where values were destroyed, `overwritten_N` holds their cells
(`model.Overwritten`).

DuckDB lets whoever has the file open shut out everybody who would write it. So who reads opens it
for one read, and who adds a result writes a copy and puts that in the file's place.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from forensics.documents import plain, provenance_of
from forensics.errors import CaseError
from forensics.model import Catalog, ColumnChange, Overwritten, Provenance, TableName, TableResult
from forensics.store.files import CASE, FRESH, SPILL, discard_fresh, exists, make_private, others
from forensics.store.literals import literal
from forensics.store.lock import sole_writer
from forensics.store.longtexts import LONG, execute_with
from forensics.store.opening import FORMAT, connect, expect_amount, make_file, write_back
from forensics.store.recording import Line, catalogs_of, read_facts, read_lines
from forensics.store.values import LongValues, held, marks_in, new_key, sweep

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_BATCH = 10_000  # rows
_PUT = "INSERT OR REPLACE INTO kit.meta VALUES ({}, {})"
_PUT_LONG = "INSERT OR REPLACE INTO kit.meta SELECT t0, t1 FROM given"


class Known(NamedTuple):
    """What a case says: its facts, each as JSON, and by table its line of the results."""

    facts: dict[str, str]
    lines: dict[TableName, Line]


class Store:
    """A case. One process may write it at a time; any number read it, meanwhile too.

    Args:
        folder: the case's folder.
        write: open it for writing, and make it where it is not there.
        memory: DuckDB's memory limit, as it writes it ("1GB").
        known: what whoever wrote it found in it at the end.

    Raises:
        CaseError: there is no case, another process writes it, or it is of another format.
        UsageError: `memory` is no amount, or not enough.
    """

    _edition = 0  # of the results, where they are written
    _known: tuple[object, dict[str, str]] = (None, {})
    _listed: tuple[object, dict[TableName, Line]] = (None, {})

    def __init__(
        self,
        folder: Path,
        *,
        write: bool = False,
        memory: str | None = None,
        known: Known | None = None,
    ) -> None:
        self.folder = folder
        self._writes = write
        self._held = ExitStack()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._reading: ExitStack | None = None
        self._putting = threading.RLock()
        if known:
            version = self._version()
            self._known, self._listed = (version, known.facts), (version, known.lines)
        expect_amount(memory)
        if write:
            self._open_to_write(memory)
        elif not exists(folder):
            raise CaseError(
                f"{folder} is not a case: there is no {CASE} in it.",
                "Make one with: forensics compare BACKUP LIVE --case DIR",
            )
        if self.get("format") != FORMAT:
            self.close()
            raise CaseError(
                f"Case {folder} was written by another version of the kit.",
                "Compare again into a new folder.",
            )

    def _open_to_write(self, memory: str | None) -> None:
        folder = self.folder
        _make_room(folder)
        with ExitStack() as opening:
            opening.enter_context(sole_writer(folder))
            make_file(folder)
            self._connection = connect(folder, CASE, write=True, memory=memory)
            opening.callback(self._connection.close)
            # Left by a process that was killed: none has the case open now.
            shutil.rmtree(folder / SPILL, ignore_errors=True)
            self._held = opening.pop_all()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection of a case that is open for writing, or for several reads."""
        if self._connection is None and self._reading is not None:
            self._connection = self._reading.enter_context(connect(self.folder, CASE))
        assert self._connection is not None, "the case is not held open"
        return self._connection

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the case file open for the reads within, from the first one on: they then cost less.

        Raises:
            CaseError: the case is gone, or another process writes it.
        """
        if self._connection is not None or self._reading is not None:
            yield
            return
        with ExitStack() as reading:
            self._reading = reading
            try:
                yield
            finally:
                self._reading = self._connection = None

    @contextmanager
    def query(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a cursor of its own to ask the kept rows with.

        Raises:
            CaseError: the case is gone, or another process writes it.
        """
        with self.reading(), self.connection.cursor() as cursor:
            yield cursor

    def close(self) -> None:
        """Let go of the case file."""
        self._held.close()

    @contextmanager
    def revised(self) -> Iterator[Store]:
        """Lend the case for adding results to it: all of them are put in place at the end, or none.

        Raises:
            CaseError: another process writes the case, or there is no room for another copy.
        """
        with sole_writer(self.folder):
            write_back(self.folder)
            fresh = _copied(self.folder)
            try:
                with closing(_Copy(self.folder)) as copy:
                    yield copy
                    copy.connection.execute("CHECKPOINT")
                fresh.replace(self.folder / CASE)
            finally:
                discard_fresh(self.folder)

    # --- facts -------------------------------------------------------------------------------

    def put(self, name: str, value: Any) -> None:
        """Record a fact, in place of an earlier one of that name. Any thread may."""
        self.put_text(name, json.dumps(plain(value)))

    def put_text(self, name: str, text: str) -> None:
        """Record a fact that is JSON already."""
        with self._putting:
            if len(text) > LONG:
                execute_with(self.connection, _PUT_LONG, (name, text))
            else:
                self.connection.execute(_PUT.format(literal(name), literal(text)))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is put within is recorded together, or not at all."""
        with self._putting:
            self.connection.begin()
            try:
                yield
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    def get(self, name: str) -> Any:
        """Return a fact, as JSON has it, or None."""
        text = self._known_fact(name)
        if text is None:
            return None
        return json.loads(text)

    def _known_fact(self, name: str) -> str | None:
        """A fact's text. Who only reads gets all at once, as long as the file stays as it is."""
        if self._writes:
            return self._facts(f"WHERE name = {literal(name)}").get(name)
        version = self._version()
        if self._known[0] != version:
            self._known = (version, self._facts())
        return self._known[1].get(name)

    def _version(self) -> object:
        """What is another after the file was written."""
        if self._writes:
            return self._edition
        try:
            state = (self.folder / CASE).stat()
        except OSError as error:
            raise CaseError(
                f"Case {self.folder} is not there any more.", "Was its folder moved or removed?"
            ) from error
        return (state.st_ino, state.st_mtime_ns, state.st_size)

    def _facts(self, where: str = "") -> dict[str, str]:
        with self.query() as cursor:
            return read_facts(cursor, where)

    def evidence(self) -> tuple[Provenance, Provenance]:
        """Provenance of the backup and of live."""
        found = self.get("evidence")
        return provenance_of(found["backup"]), provenance_of(found["live"])

    def catalogs(self) -> tuple[Catalog, Catalog]:
        """What the backup's schema says, and live's."""
        return catalogs_of(self._known_fact("catalogs") or "")

    # --- tables ------------------------------------------------------------------------------

    def look_again(self) -> None:
        """Have the results read anew: whoever records them says so."""
        self._edition += 1

    def lines(self) -> dict[TableName, Line]:
        """By table, in order, its line of the results; they are read once."""
        version = self._version()
        if self._listed[0] != version:
            with self.query() as cursor:
                self._listed = (version, read_lines(cursor))
        return self._listed[1]

    def known(self) -> Known:
        """All facts and results, for whoever opens the case next while nobody writes it."""
        return Known(self._facts(), self.lines())

    def number(self, name: TableName) -> int | None:
        """The number of a table that was compared, or None."""
        line = self.lines().get(name)
        return line.number if line else None

    def results(self) -> list[TableResult]:
        """What was found of each table, by name."""
        return [line.result for line in self.lines().values()]

    def forget(self, name: TableName) -> None:
        """Take back what was found of a table."""
        number = self.number(name)
        if number is None:
            return
        forget_rows(self.connection, [number])
        self.connection.execute(f"DELETE FROM kit.tables WHERE number = {number}")
        self.look_again()

    def moments(self) -> dict[TableName, dict[str, dict[str, str]]]:
        """By table and side, the snapshot of a database that its rows were read from.

        Returns:
            For each table and each side that is a database, `snapshot` and `taken_at`.
        """
        return {name: line.read for name, line in self.lines().items()}

    def changes(self) -> list[ColumnChange]:
        """Schema drift, table by table."""
        found: list[ColumnChange] = []
        for line in self.lines().values():
            found += line.changes
        return found

    def overwritten(self) -> list[Overwritten] | None:
        """What changed values have in common, by table and column; None where it is not known."""
        entries = self.get("overwritten")
        if entries is None:
            return None
        return [Overwritten(TableName(**entry.pop("name")), **entry) for entry in entries]

    def columns(self, name: TableName, side: str) -> tuple[str, ...]:
        """The columns of the rows that are kept of one side's table, in order."""
        line = self.lines().get(name)
        return line.columns.get(side, ()) if line else ()

    def rows(
        self, name: TableName, side: str, states: Sequence[str], limit: int | None = None
    ) -> pa.Table:
        """Return kept rows: column `pair`, then the table's own columns, NULL where the value is.

        Args:
            name: the table.
            side: "backup" or "live".
            states: which rows: missing, changed (of backup), added, changed (of live).
            limit: at most so many rows, the first by `pair`.
        """
        import pyarrow as pa

        with self.query() as cursor:
            columns = self.columns(name, side)
            query = self._kept(name, side, columns, states)
            if query is None:
                empty = {column: pa.array([], pa.string()) for column in columns}
                return pa.table({"pair": pa.array([], pa.int64())} | empty)
            if limit is not None:
                query += f" LIMIT {int(limit)}"
            found = cursor.sql(query).to_arrow_table()
        return found.rename_columns(["pair", *columns])

    def batches(
        self, name: TableName, side: str, states: Sequence[str]
    ) -> Iterator[pa.RecordBatch]:
        """Yield what `rows` returns, in batches, where more is kept than memory holds."""
        with self.query() as cursor:
            query = self._kept(name, side, self.columns(name, side), states)
            if query is None:
                return
            yield from cursor.sql(query).to_arrow_reader(_BATCH)

    def _kept(
        self, name: TableName, side: str, columns: Sequence[str], states: Sequence[str]
    ) -> str | None:
        """The query for kept rows of one side's table, or None where none are."""
        number = self.number(name)
        if number is None or not columns:
            return None
        with self.query() as cursor:
            if not has_table(cursor, f"rows.{side}_{number}"):
                return None
        fields = ", ".join(f"f{place}" for place in range(len(columns)))
        return (
            f"SELECT pair, {fields} FROM rows.{side}_{number} "
            f"WHERE list_contains({literal(list(states))}, state) ORDER BY pair"
        )


class _Copy(Store):
    """What is to become the case file, open for writing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writes = True
        self._held = ExitStack()
        self._putting = threading.RLock()
        self._connection = connect(folder, FRESH, write=True)
        self._held.callback(self._connection.close)


def _make_room(folder: Path) -> None:
    """Make the folder of a case, open to its owner alone."""
    make_private(folder)
    if not exists(folder) and folder.stat().st_mode & 0o077:
        # What lies in it is somebody's, and not ours to close.
        raise CaseError(
            f"Folder {folder} holds other things ({others(folder)}) and is open to others: "
            "a case in it would be too.",
            "Choose a folder with --case that is new or empty, "
            f"or close this one: chmod 700 {folder}",
        )


def _copied(folder: Path) -> Path:
    """The copy of a case file that is to take its place."""
    discard_fresh(folder)
    fresh = folder / FRESH
    try:
        shutil.copyfile(folder / CASE, fresh)
        fresh.chmod(0o600)
    except OSError as error:
        discard_fresh(folder)
        raise CaseError(
            f"Case {folder} cannot be written: {error.strerror}.",
            "Is the disk full? What is added to a case is written to a copy of it first.",
        ) from error
    return fresh


def tables_of(cursor: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The tables of a case, as SCHEMA.TABLE: of kept rows, and of what the stages found of them."""
    there = cursor.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
        "WHERE database_name = current_database()"
    )
    return frozenset(name for (name,) in there.fetchall())


def long_values(store: Store) -> LongValues:
    """Where a case's values go that are too long for its file."""
    key = store.get("long_values")
    if key is None:
        key = new_key()
        store.put("long_values", key)
    return LongValues(store.folder, key)


def sweep_values(store: Store) -> None:
    """Remove the long values that no kept row of a case names."""
    if not held(store.folder):
        return
    used: set[str] = set()
    with store.query() as cursor:
        for table in tables_of(cursor):
            if table.startswith(("rows.backup_", "rows.live_")):
                used |= marks_in(cursor, table)
    sweep(store.folder, used)


def forget_rows(cursor: duckdb.DuckDBPyConnection, numbers: Collection[int]) -> None:
    """Take back the kept rows of some tables of a case."""
    there = tables_of(cursor)
    for number in numbers:
        for kind in ("backup", "live", "overwritten"):
            if f"rows.{kind}_{number}" in there:
                cursor.execute(f"DROP TABLE rows.{kind}_{number}")


def has_table(cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a case has a table, such as `rows.backup_1`."""
    from duckdb import CatalogException

    try:
        cursor.execute(f"SELECT 1 FROM {name} LIMIT 0")
    except CatalogException:  # asking for a list of all tables takes ten times as long
        return False
    return True
