"""One question asked: DuckDB over streams of rows, walled in, spilling where memory is short."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from forensics import leftovers
from forensics.compare.options import Options
from forensics.errors import ForensicsError, QueryError, UsageError
from forensics.model import TableName, quote_identifier
from forensics.query.kinds import TEXT, decimal
from forensics.query.question import Named, Question, question, refused
from forensics.query.shape import Column, Shape, selected
from forensics.query.side import Side, side_of
from forensics.query.stream import Heard, MisfitError, Stream, misfit, misfit_of, unheard
from forensics.store.opening import expect_amount

_CODE = re.compile(r"\bt(\d+)c(\d+)\b")
_SCANNED = re.compile(r"forensics work\"?\.main\.(t\d+)\Z")
_WORK = '"forensics work"'
_SYSTEM = ("information_schema", "pg_catalog")
_MOST_DIGITS = 38
_AS_IF_THERE_WERE_ROWS = {
    "disabled_optimizers": "statistics_propagation,empty_result_pullup,late_materialization"
}
_BATCH_ROWS = 8_192
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Told:
    """What is to be known of an answer.

    Attributes:
        columns: of the answer.
        damage: why rows are not all there, a sentence for each table.
        notes: what else was made of the tables, in sentences.
        tables: those that were read, and of which side.
    """

    columns: tuple[Column, ...]
    damage: tuple[str, ...]
    notes: tuple[str, ...]
    tables: tuple[tuple[str, TableName], ...]

    @property
    def complete(self) -> bool:
        """Whether the tables' rows were all there."""
        return not self.damage


@dataclass
class _Table:
    """A table that a question names."""

    side: Side
    stream: Stream
    views: list[tuple[str, str]] = field(default_factory=list)


class Session:
    """DuckDB with the tables of one or two sides, for one question.

    Args:
        db: a connection that nothing else uses, for rows.
        plans: another, which sees tables without rows and tells what a question needs.
        sides: by role.
        heard: is told of rows that were read.
        files: whether what is no table may be a file.

    Attributes:
        columns: of the answer, once a question was asked.
    """

    columns: tuple[Column, ...] = ()

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        plans: duckdb.DuckDBPyConnection,
        sides: Mapping[str, Side],
        heard: Heard = unheard,
        files: bool = False,
    ) -> None:
        self._db, self._plans, self._sides = db, plans, sides
        self._heard, self._files = heard, files
        self._tables: dict[tuple[str, TableName], _Table] = {}
        self._notes: list[str] = []
        self._asked = ""

    def ask(self, sql: str, shape: Shape, take: Callable[[Any], _Made]) -> tuple[_Made, Told]:
        """Ask one question.

        Args:
            sql: one SELECT.
            shape: what the answer's columns are made into.
            take: takes the answer's batches; again from their beginning where a column turned
                out to hold other values than its type says.

        Returns:
            What `take` made of it, and what is to be known of it.

        Raises:
            QueryError: DuckDB refuses it.
            UnknownTableError: it names a table that there is not.
            EvidenceError: a side cannot be read at all.
        """
        self._asked = sql
        asked = question(self._plans, sql)
        self._lay_out(asked)
        while True:
            twice = self._plan(asked)
            self.columns = self._columns(asked)
            try:
                self._load(twice)
                made = self._run(selected(asked.sql, self.columns, shape), take)
            except MisfitError as error:
                self._make_room(error.column)
                continue
            return made, self._told()

    # --- tables -----------------------------------------------------------------------------------

    def _lay_out(self, asked: Question) -> None:
        """Put the tables that a question names where it names them."""
        if asked.about_all:
            raise QueryError(
                "Which tables there are is not asked in SQL.",
                "`forensics inspect BACKUP` lists them; DESCRIBE TABLE tells a table's columns.",
            )
        for named in asked.tables:
            if named.schema.lower() in _SYSTEM:
                continue
            side, schema = side_of(self._sides, named)
            name = side.find(schema, named.table)
            if name is not None:
                self._put(side, name, named)
            elif not self._files and not (
                named.table.lower() in asked.defined and str(named) == named.table
            ):
                raise side.unknown(named)

    def _put(self, side: Side, name: TableName, named: Named) -> None:
        key = (side.role, name)
        if key not in self._tables:
            label = f"t{len(self._tables)}"
            self._tables[key] = _Table(side, side.stream(name, label, self._heard))
            self._notes += _renamed(self._tables[key].stream)
        catalog = quote_identifier(named.catalog or "backup")
        schema = named.schema or "main"
        if not named.catalog and named.schema.lower() in ("backup", "live"):
            catalog, schema = named.schema, "main"
        place = f"{catalog}.{quote_identifier(schema)}"
        view = f"{place}.{quote_identifier(named.table)}"
        self._tables[key].views.append((place, view))
        self._define(self._tables[key])

    def _define(self, table: _Table) -> None:
        """Have the plans know a table: as one without rows."""
        stream = table.stream
        listed = [f"{stream.code(0)} BIGINT"]
        if stream.columns:
            listed.clear()
        for number, column in enumerate(stream.columns):
            kind = "VARCHAR" if column.kind.arrow is None else column.kind.type
            listed.append(f"{stream.code(number)} {kind}")
        place = f"{_WORK}.main.{stream.label}"
        self._plans.execute(f"CREATE OR REPLACE TABLE {place} ({', '.join(listed)})")
        self._view(self._plans, table, place, range(len(listed)))

    def _view(
        self, db: duckdb.DuckDBPyConnection, table: _Table, place: str, there: Container[int]
    ) -> None:
        """Say what a table's columns are made of; `there` are those that its rows have."""
        stream = table.stream
        listed, seen = [], set[str]()
        for number, column in enumerate(stream.columns):
            code = stream.code(number)
            if number not in there:
                made = f"CAST(NULL AS {column.kind.type})"
            elif column.kind.arrow is not None:
                made = code
            else:
                made = column.kind.typed(code, misfit(code))
            listed.append(f"{made} AS {quote_identifier(_told_apart(column.name, seen))}")
        columns = ", ".join(listed) or stream.code(0)
        for schema, view in table.views:
            db.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            db.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT {columns} FROM {place}")

    # --- what a question needs --------------------------------------------------------------------

    def _plan(self, asked: Question) -> set[str]:
        """Find out which columns a question needs, and return the tables it goes through twice."""
        try:
            plan = self._plans.execute(f"EXPLAIN (FORMAT JSON)\n{asked.sql}").fetchall()[0][1]
        except duckdb.Error as error:
            raise self._refused(error) from None
        streams = {table.stream.label: table for table in self._tables.values()}
        for table in streams.values():
            table.stream.wanted.clear()
        for label, number in _CODE.findall(plan):
            if f"t{label}" in streams:
                streams[f"t{label}"].stream.wanted.add(int(number))
        resized = False
        for table in streams.values():
            for number in sorted(table.stream.wanted):
                if table.stream.columns[number].kind.digits:
                    self._size(table, number, whole=False)
                    resized = True
        if resized:
            return self._plan(asked)
        return _scanned_twice(plan)

    def _load(self, twice: Container[str]) -> None:
        """Put the rows where the question finds them; those that it needs twice, written down."""
        for table in self._tables.values():
            stream = table.stream
            self._db.register(stream.label, stream.capsule())
            place, there = f"temp.main.{stream.label}", set(range(len(stream.columns)))
            if stream.label in twice:
                listed = ", ".join(stream.code(number) for number in sorted(stream.wanted))
                kept = f"{_WORK}.main.{stream.label}"
                self._guarded(
                    f"CREATE OR REPLACE TABLE {kept} AS"
                    f" SELECT {listed or stream.code(0)} FROM {place}"
                )
                place, there = kept, stream.wanted
            self._view(self._db, table, place, there)

    def _guarded(self, statement: str) -> None:
        try:
            self._db.execute(statement).fetchall()
        except duckdb.Error as error:
            raise self._cause_of(error) from None

    def _make_room(self, code: str) -> None:
        """Have a column hold what it could not: more digits, or text."""
        table, number = self._at(code)
        column = table.stream.columns[number]
        if column.kind.arrow is not None and pa.types.is_decimal(column.kind.arrow):
            self._size(table, number, whole=True)
        else:
            self._as_text(table, number)

    def _at(self, code: str) -> tuple[_Table, int]:
        for table in self._tables.values():
            if code.startswith(f"{table.stream.label}c"):
                return table, int(code.partition("c")[2])
        raise AssertionError(code)

    def _size(self, table: _Table, number: int, *, whole: bool) -> None:
        """Choose what a column's numbers fit into."""
        found = table.stream.measured(number, whole=whole)
        if found is None or found[0] > _MOST_DIGITS:
            self._as_text(table, number)
            return
        column = table.stream.columns[number]
        column.kind = decimal(_MOST_DIGITS, found[1])
        self._define(table)

    def _as_text(self, table: _Table, number: int) -> None:
        column = table.stream.columns[number]
        if column.kind.arrow is not None and pa.types.is_decimal(column.kind.arrow):
            why = f"a value does not fit into the {_MOST_DIGITS} digits of a DECIMAL"
        else:
            why = f"a value is none of DuckDB's {column.kind.type}"
        self._notes.append(f"{table.stream.name}.{column.name} is given as text: {why}.")
        for other in self._tables.values():  # on both sides, so that they can be held together
            if other.stream.name != table.stream.name:
                continue
            for held in other.stream.columns:
                if held.name == column.name:
                    held.kind = TEXT
            self._define(other)

    def _columns(self, asked: Question) -> tuple[Column, ...]:
        """The answer's columns."""
        try:
            self._plans.execute(f"SELECT * FROM (\n{asked.sql}\n) LIMIT 0")
        except duckdb.Error as error:
            raise self._refused(error) from None
        seen = set[str]()
        found = []
        for name, kind, *_ in self._plans.description or ():
            found.append(Column(_told_apart(name, seen), str(kind)))
        self._plans.fetchall()
        return tuple(found)

    # --- the answer -------------------------------------------------------------------------------

    def _run(self, statement: str, take: Callable[[Any], _Made]) -> _Made:
        reader = None
        try:
            reader = self._db.sql(statement).to_arrow_reader(_BATCH_ROWS)
            return take(reader)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise self._cause_of(error) from None
        finally:
            del reader

    def _cause_of(self, error: BaseException) -> BaseException:
        """What really went wrong where DuckDB, or Arrow, gave up."""
        for table in self._tables.values():
            if isinstance(table.stream.error, ForensicsError | MisfitError | KeyboardInterrupt):
                found, table.stream.error = table.stream.error, None
                return found
        if code := misfit_of(error):
            return MisfitError(code)
        if isinstance(error, duckdb.Error):
            return self._refused(error)
        return error

    def _refused(self, error: duckdb.Error) -> QueryError:
        words = str(error)
        hint = None
        if isinstance(error, duckdb.OutOfMemoryException):
            hint = "Allow more with --memory, or make room for what is spilled."
        elif isinstance(error, duckdb.PermissionException):
            hint = "SQL reaches no file and no network from here."
        elif isinstance(error, duckdb.BinderException):
            hint = self._hint_for(words)
        return refused(error, self._asked, before=1, hint=hint)

    def _hint_for(self, words: str) -> str | None:
        for table in self._tables.values():
            names = [column.name for column in table.stream.columns]
            for column in table.side.lacking(table.stream.name, names):
                if f'"{column}"' in words:
                    return f"The {table.side.role} holds no values of {column}: it is worked out."
        if self._notes:
            return self._notes[-1]
        return None

    def _told(self) -> Told:
        damage: dict[str, None] = {}
        for table in self._tables.values():
            if table.stream.damage:
                damage[table.stream.damage] = None
        read = []
        for (role, name), table in self._tables.items():
            read.append((role, name))
            if table.side.source.damage and not table.stream.damage and role == "backup":
                note = f"The backup is not whole, but the rows of {name} are."
                if note not in self._notes:
                    self._notes.append(note)
        return Told(self.columns, tuple(damage), tuple(self._notes), tuple(read))


def _told_apart(name: str, seen: set[str]) -> str:
    """A name that no other column has: DuckDB does not mind the letters' case."""
    found, number = name, 0
    while found.lower() in seen:
        number += 1
        found = f"{name}_{number}"
    seen.add(found.lower())
    return found


def _renamed(stream: Stream) -> list[str]:
    """What to say of columns that only the letters' case tells apart."""
    seen = set[str]()
    found = []
    for column in stream.columns:
        name = _told_apart(column.name, seen)
        if name != column.name:
            found.append(f"{stream.name}.{column.name} is {name} here: another is called so, too.")
    return found


def _scanned_twice(plan: str) -> set[str]:
    """The streams that a plan goes through more than once."""
    scans: dict[str, int] = {}
    waiting = [(node, 1) for node in json.loads(plan)]
    while waiting:
        node, times = waiting.pop()
        if "REC" in node["name"] and "CTE" in node["name"]:
            times = 2
        scanned = _SCANNED.search(str(node["extra_info"].get("Table", "")))
        if scanned:
            scans[scanned[1]] = scans.get(scanned[1], 0) + times
        waiting += [(child, times) for child in node["children"]]
    return {label for label, times in scans.items() if times > 1}


@contextmanager
def session(
    sides: Mapping[str, Side],
    *,
    memory: str = Options.memory,
    heard: Heard = unheard,
    files: bool = False,
) -> Iterator[Session]:
    """Lend a session for one question.

    Args:
        sides: by role: "backup", and "live" where there is one.
        memory: what DuckDB may hold before it spills, as it writes it.
        heard: is told of rows that were read.
        files: let SQL read files and the network.

    Raises:
        UsageError: `memory` is no amount, or too little.
    """
    expect_amount(memory)
    with leftovers.folder() as folder, ExitStack() as opened:
        db = opened.enter_context(_connected(folder, memory, {}))
        # Of tables without rows it would plan to read nothing.
        plans = opened.enter_context(_connected(folder, memory, _AS_IF_THERE_WERE_ROWS))
        for one in (db, plans):
            for role in sides:
                one.execute(f"ATTACH ':memory:' AS {role}")
            one.execute(f"ATTACH ':memory:' AS {_WORK}")
            one.execute("USE backup")
            if not files:
                one.execute("SET enable_external_access = false")
            one.execute("SET lock_configuration = true")
        yield Session(db, plans, sides, heard, files)


def _connected(folder: Path, memory: str, more: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    config = {
        "temp_directory": str(folder / "spill"),
        "memory_limit": memory,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        **more,
    }
    try:
        db = duckdb.connect(":memory:", config=config)
    except duckdb.OutOfMemoryException as error:
        raise UsageError(
            f"--memory {memory} is not enough to ask with.", "Allow more: 600MB is usual."
        ) from error
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET python_enable_replacements = false")
    return db
