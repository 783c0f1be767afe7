"""The case file: `CASE/case.duckdb`. Results go in, results come out; it knows the model and nothing else.

Layout: schema `kit` holds one row a fact (`meta`) and one a compared table (`tables`); schema `rows` holds, for table
number N, `backup_N` and `live_N`: the rows that differ, whole, one VARCHAR a column (`f0`, `f1`, … in the order of
`tables.backup_columns` and `tables.live_columns`; numbered, because DuckDB folds the case of names and PostgreSQL does
not), with `pair`, by which the two halves of a changed row find each other, and `state`. Values are PostgreSQL's text.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from forensics.errors import CaseError, UsageError
from forensics.model import (
    Catalog,
    ColumnChange,
    Provenance,
    TableName,
    TableResult,
    catalog_of,
    plain,
    provenance_of,
)

FORMAT = 2
_FILE = "case.duckdb"
_OURS = (
    _FILE,
    f"{_FILE}.wal",
    "summary.json",
    "loss.json",
    "cause.json",
    ".summary.json",
    ".loss.json",
    ".cause.json",
)
_AMOUNT = re.compile(r"\d+(?:\.\d+)?\s*[KMGT]i?B", re.I)
_LOCKED = "Could not set lock"  # what DuckDB says where another process has the file open
_LAYOUT = """
CREATE SCHEMA IF NOT EXISTS kit;
CREATE SCHEMA IF NOT EXISTS rows;
CREATE TABLE IF NOT EXISTS kit.meta (name VARCHAR PRIMARY KEY, value JSON);
CREATE TABLE IF NOT EXISTS kit.tables (
    number INTEGER PRIMARY KEY, schema VARCHAR, "table" VARCHAR, result JSON, changes JSON,
    backup_columns VARCHAR[], live_columns VARCHAR[], read JSON);
"""


class Store:
    """An open case. One process may write it at a time, or any number read it.

    Args:
        folder: the case's folder.
        write: open it for writing, and make it where it is not there.
        memory: DuckDB's memory limit, as it writes it ("1GB").

    Raises:
        CaseError: there is no case, another process has it open, or it is of another format.
    """

    def __init__(self, folder: Path, *, write: bool = False, memory: str | None = None) -> None:
        self.folder = folder
        path = folder / _FILE
        if write:
            make_private(folder)
            if not exists(folder) and folder.stat().st_mode & 0o077:
                # What lies in it is somebody's, and not ours to close.
                raise CaseError(
                    f"Folder {folder} holds other things ({_others(folder)}) and is open to others: a case in it would be too.",
                    f"Choose a folder with --case that is new or empty, or close this one: chmod 700 {folder}",
                )
            _make_file(path)
        elif not path.exists():
            raise CaseError(
                f"{folder} is not a case: there is no {_FILE} in it.",
                "Make one with: python -m forensics compare BACKUP LIVE --case DIR",
            )
        spill = folder / "spill"
        if memory and not _AMOUNT.fullmatch(memory.strip()):
            raise UsageError(
                f"--memory {memory} is no amount of memory.", "Write it like 600MB or 2GB."
            )
        config = {
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        if memory:
            config["memory_limit"] = memory
        try:
            self.connection = duckdb.connect(str(path), read_only=not write, config=config)
        except duckdb.IOException as error:
            if _LOCKED in str(error):
                raise _in_use(folder) from error
            raise CaseError(
                f"Case {folder} cannot be opened: {_first_line(error)}.",
                "Is the disk full, or the file damaged?",
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise UsageError(
                f"--memory {memory} is not enough to open a case with.",
                "Allow more: 600MB is what it takes by itself.",
            ) from error
        except duckdb.Error as error:
            raise CaseError(
                f"{path} is not a case file: {_first_line(error)}.",
                "Give the folder that compare wrote.",
            ) from error
        if write:
            shutil.rmtree(
                spill, ignore_errors=True
            )  # left by a process that was killed: none has the case open now
        if self.get("format") != FORMAT:
            self.close()
            raise CaseError(
                f"Case {folder} was written by another version of the kit.",
                "Compare again into a new folder.",
            )

    # --- facts -------------------------------------------------------------------------------------

    def put(self, name: str, value: Any) -> None:
        """Record a fact, in place of an earlier one of that name."""
        self.connection.execute(
            f"INSERT OR REPLACE INTO kit.meta VALUES ({_literal(name)}, {_literal(json.dumps(plain(value)))})"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is put within is recorded together, or not at all."""
        self.connection.begin()
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()

    def get(self, name: str) -> Any:
        """Return a fact, as JSON has it, or None."""
        try:
            found = self.connection.execute(
                f"SELECT value FROM kit.meta WHERE name = {_literal(name)}"
            ).fetchone()
        except duckdb.CatalogException:
            return None
        return json.loads(found[0]) if found else None

    def evidence(self) -> tuple[Provenance, Provenance]:
        """Provenance of the backup and of live."""
        found = self.get("evidence")
        return provenance_of(found["backup"]), provenance_of(found["live"])

    def catalogs(self) -> tuple[Catalog, Catalog]:
        """What the backup's schema says, and live's."""
        found = self.get("catalogs")
        return catalog_of(found["backup"]), catalog_of(found["live"])

    # --- tables ------------------------------------------------------------------------------------

    def number(self, name: TableName) -> int | None:
        """The number of a table that was compared, or None."""
        found = self.connection.execute(
            f'SELECT number FROM kit.tables WHERE schema = {_literal(name.schema)} AND "table" = {_literal(name.table)}'
        ).fetchone()
        return found[0] if found else None

    def results(self) -> list[TableResult]:
        """What was found of each table, by name."""
        rows = self.connection.execute(
            'SELECT result FROM kit.tables ORDER BY schema, "table"'
        ).fetchall()
        return [_result(json.loads(r[0])) for r in rows]

    def forget(self, name: TableName) -> None:
        """Take back what was found of a table."""
        if (number := self.number(name)) is not None:
            for side in ("backup", "live"):
                self.connection.execute(f"DROP TABLE IF EXISTS rows.{side}_{number}")
            self.connection.execute(f"DELETE FROM kit.tables WHERE number = {number}")

    def moments(self) -> dict[TableName, dict[str, dict[str, str]]]:
        """By table and side, which snapshot of a database its rows were read from: `snapshot` and `taken_at`."""
        rows = self.connection.execute(
            'SELECT schema, "table", read FROM kit.tables ORDER BY schema, "table"'
        ).fetchall()
        return {TableName(schema, table): json.loads(read) for schema, table, read in rows}

    def changes(self) -> list[ColumnChange]:
        """Schema drift, table by table."""
        rows = self.connection.execute(
            'SELECT changes FROM kit.tables ORDER BY schema, "table"'
        ).fetchall()
        return [
            ColumnChange(TableName(**c.pop("name")), **c) for r in rows for c in json.loads(r[0])
        ]

    def columns(self, name: TableName, side: str) -> tuple[str, ...]:
        """The columns of the rows that are kept of one side's table, in order."""
        found = self.connection.execute(
            f'SELECT {side}_columns FROM kit.tables WHERE schema = {_literal(name.schema)} AND "table" = {_literal(name.table)}'
        ).fetchone()
        return tuple(found[0] or ()) if found else ()

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
        columns = self.columns(name, side)
        number = self.number(name)
        if number is None or not columns or not self._has_rows(f"{side}_{number}"):
            return pa.table(
                {"pair": pa.array([], pa.int64())} | {c: pa.array([], pa.string()) for c in columns}
            )
        fields = ", ".join(f"f{i}" for i in range(len(columns)))
        found = self.connection.execute(
            f"SELECT pair, {fields} FROM rows.{side}_{number} WHERE list_contains(?, state) ORDER BY pair"
            + (f" LIMIT {int(limit)}" if limit is not None else ""),
            [list(states)],
        ).to_arrow_table()
        return found.rename_columns(["pair", *columns])

    def batches(
        self, name: TableName, side: str, states: Sequence[str]
    ) -> Iterator[pa.RecordBatch]:
        """Yield what `rows` returns, in batches: for tables of which more is kept than memory holds."""
        columns, number = self.columns(name, side), self.number(name)
        if number is None or not columns or not self._has_rows(f"{side}_{number}"):
            return
        fields = ", ".join(f"f{i}" for i in range(len(columns)))
        with self.query() as cursor:
            found = cursor.execute(
                f"SELECT pair, {fields} FROM rows.{side}_{number} WHERE list_contains(?, state) ORDER BY pair",
                [list(states)],
            )
            yield from found.to_arrow_reader(10_000)

    def _has_rows(self, table: str) -> bool:
        return bool(
            self.connection.execute(
                f"SELECT 1 FROM information_schema.tables WHERE table_schema = 'rows' AND table_name = {_literal(table)}"
            ).fetchone()
        )

    @contextmanager
    def query(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a cursor of its own to ask the kept rows with."""
        cursor = self.connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        """Let go of the case file."""
        self.connection.close()


@contextmanager
def interruptible() -> Iterator[None]:
    """Have a Ctrl-C that reached DuckDB in the middle of a query end as one: DuckDB turns it into another error."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise


def _make_file(path: Path) -> None:
    """Make an empty case file where there is none: under another name first, so that whoever is killed leaves no half of one.

    Every column is named by number and every value a VARCHAR, so nothing of a dump is ever an identifier in it.
    """
    if path.exists():
        return
    fresh = path.with_suffix(".new")
    for left in (fresh, Path(f"{fresh}.wal")):
        left.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(fresh)) as connection:
            connection.execute(_LAYOUT)
            connection.execute(
                f"INSERT INTO kit.meta VALUES ('format', {_literal(json.dumps(FORMAT))})"
            )
            connection.execute(
                "CHECKPOINT"
            )  # closing would try this too, and keep its failure to itself
    except duckdb.Error as error:
        raise CaseError(
            f"Case {path.parent} cannot be made: {_first_line(error)}.", "Is the disk full?"
        ) from error
    fresh.chmod(0o600)
    fresh.replace(path)


def record(
    cursor: duckdb.DuckDBPyConnection,
    number: int,
    result: TableResult,
    changes: Sequence[ColumnChange] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
    read: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Record what was found of a table, on a cursor whose transaction holds its rows too.

    Args:
        cursor: a cursor of the case's connection.
        number: the table's number in this case.
        result, changes: what was found.
        columns: by side, the columns of the rows that are kept.
        read: by side, which snapshot of a database the rows were read from.
    """
    cursor.execute(f"DELETE FROM kit.tables WHERE number = {number}")
    kept = columns or {}
    values = (
        result.name.schema,
        result.name.table,
        json.dumps(plain(result)),
        json.dumps(plain(list(changes))),
        list(kept.get("backup", ())),
        list(kept.get("live", ())),
        json.dumps(read or {}),
    )
    cursor.execute(f"INSERT INTO kit.tables VALUES ({number}, {', '.join(map(_literal, values))})")


def _result(value: dict[str, Any]) -> TableResult:
    value["name"] = TableName(**value["name"])
    for field in ("key", "columns", "notes"):
        value[field] = tuple(value[field])
    return TableResult(**value)


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can look into: it will hold rows of customers.

    One that is there and holds other things stays as open as it is: `.` or /tmp are not ours to close.

    Raises:
        CaseError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if exists(folder) or _others(folder) is None:
            folder.chmod(0o700)
    except OSError as error:
        raise CaseError(
            f"Folder {folder} cannot be made: {error.strerror}.",
            "Choose another folder with --case.",
        ) from error


def write_private(path: Path, text: str) -> None:
    """Write a file into a case's folder, readable by its owner only: whole, or not at all.

    Raises:
        CaseError: it cannot be written.
    """
    make_private(path.parent)
    fresh = path.with_name(f".{path.name}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o600)
        os.replace(fresh, path)
    except OSError as error:
        raise CaseError(
            f"{path} cannot be written: {error.strerror}.",
            "Is the disk full? Make room, and go on with --resume.",
        ) from error


def remove(folder: Path) -> None:
    """Remove what an earlier comparison wrote into a case's folder, and nothing else that lies there.

    Raises:
        CaseError: another process has the case open.
    """
    try:
        duckdb.connect(str(folder / _FILE)).close()
    except duckdb.IOException as error:
        if _LOCKED in str(error):
            raise _in_use(folder) from error
    for name in _OURS:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "spill", ignore_errors=True)


def _literal(value: str | Sequence[str]) -> str:
    """Return text, or a list of texts, as DuckDB's SQL.

    Not as a parameter: binding one makes DuckDB import pandas, which costs a comparison a quarter of a second.
    """
    if not isinstance(value, str):
        return f"[{', '.join(map(_literal, value))}]::VARCHAR[]"
    return "'" + value.replace("'", "''") + "'"


def _in_use(folder: Path) -> CaseError:
    return CaseError(
        f"Case {folder} is open in another process.",
        "Wait until that has ended, or close the notebook that holds it.",
    )


def exists(folder: Path) -> bool:
    """Whether a case lies in a folder."""
    return os.path.exists(folder / _FILE)  # Path.exists would raise for a name that is too long


def _others(folder: Path) -> str | None:
    """The first thing in a folder that no comparison wrote, if there is one."""
    fresh = Path(_FILE).with_suffix(".new").name
    ours = {*_OURS, fresh, f"{fresh}.wal", "spill"}
    return min((p.name for p in folder.iterdir() if p.name not in ours), default=None)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
