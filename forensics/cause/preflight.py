"""Preflight: what a migration would destroy, and where it would fail, counted on live before it runs.

Nothing is written: every count is a SELECT under the read-only snapshot, over the tables as the statements before would
have left them (`forecast`). With a rehearsal the statements themselves are run, on a scratch copy of the tables that
matter.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from postgast import pg_query_pb2 as pb
from psycopg import sql

from forensics.cause.attribution import definitions
from forensics.cause.forecast import Forecast, Virtual
from forensics.cause.hazards import CODES, Hazard, ranges, walk
from forensics.cause.history import place, schema_of
from forensics.cause.replay import Replay, Watched
from forensics.errors import EvidenceError, LiveError
from forensics.evidence import ddl
from forensics.evidence.live import LiveSource
from forensics.evidence.migrations import Migration, MigrationFolder, Statement, read_history
from forensics.model import TableName
from forensics.model import quote_identifier as q
from forensics.scratch import Scratch
from forensics.text import visible

Listener = Callable[[str], None]

_TEXTS = ("text", "character varying", "character", "bpchar", "name", "json", "jsonb")
_INTEGERS = {"smallint": 15, "integer": 31, "bigint": 63}
_NUMBERS = (*_INTEGERS, "numeric", "real", "double precision")
_LOOKS_AT_ROWS = ("add-unique", "add-foreign-key", "add-check", "set-not-null")
_INPUT_IS_VALID = 160000  # the first version with pg_input_is_valid


@dataclass(frozen=True)
class Forewarning:
    """A hazard, counted.

    Attributes:
        migration, path: where it stands.
        rows: what it would destroy, or what stands in its way; None where that could not be counted.
        fails: whether the statement would fail on the data as it is.
        destroys: whether `rows` would be destroyed.
        says: what it would do, in a sentence.
        table_rows, table_bytes: how large the table is, for what goes through it or holds it up; None where unknown.
    """

    migration: str
    path: str
    hazard: Hazard
    rows: int | None = None
    fails: bool = False
    destroys: bool = False
    says: str = ""
    table_rows: int | None = None
    table_bytes: int | None = None


@dataclass(frozen=True)
class Rehearsed:
    """One statement of a rehearsal: what it took from which table, how long it took, and why it failed if it did."""

    migration: str
    line: int
    sql: str
    seconds: float
    error: str | None
    took: dict[str, int]


@dataclass(frozen=True)
class Flight:
    """The answer of a preflight."""

    hazards: tuple[Forewarning, ...]
    migrations: tuple[str, ...]
    notes: tuple[str, ...] = ()
    rehearsal: tuple[Rehearsed, ...] | None = None

    @property
    def destroys(self) -> bool:
        """Whether a row or a value would be destroyed, by count or in the rehearsal."""
        return any(h.destroys and h.rows for h in self.hazards) or any(r.took for r in self.rehearsal or ())

    @property
    def uncounted(self) -> bool:
        """Whether something that may destroy could not be counted."""
        open_ = (h.hazard for h in self.hazards if h.rows is None and not h.fails)
        return any((h.destroys or h.code == "dynamic-sql") and not _in_function(h) for h in open_)

    @property
    def fails(self) -> bool:
        """Whether a statement would fail on the data as it is."""
        return any(h.fails for h in self.hazards) or any(r.error for r in self.rehearsal or ())


def pending(folder: MigrationFolder, live: LiveSource) -> tuple[tuple[Migration, ...], list[str]]:
    """Return the migrations of a folder that live's history does not have in force; a single one is always returned.

    Raises:
        EvidenceError: the history is there and cannot be read.
    """
    if folder.kind == "single file":
        return folder.migrations, []
    entries = read_history(live)
    if not entries:
        return folder.migrations, ["Live holds no migration history that is known here: every migration of the folder is looked at."]
    placed = {p.name: p for p in place({"backup": [], "live": entries}, {}, folder, None).migrations}
    if not any(placed[m.name].in_live for m in folder.migrations):
        tools = " and ".join(sorted({e.tool for e in entries}))
        return folder.migrations, [f"Live's migration history ({tools}) names no file of the folder: every migration of it is looked at."]
    return tuple(m for m in folder.migrations if placed[m.name].state in ("pending", "rolled back", "failed")), []


def preflight(migrations: Sequence[Migration], live: LiveSource, *, rehearse: bool = False, listener: Listener | None = None) -> Flight:
    """Count on live what migrations would destroy and what stands in their way.

    Args:
        migrations: in the order in which they would run.
        live: the database, under its snapshot.
        rehearse: also run them on a scratch copy.
        listener: is told what is going on.

    Raises:
        MigrationError: one does not parse.
        LiveError: the database was lost, or refuses to be read.
        ScratchError: the rehearsal's server does not start.
    """
    return _Preflight(live, listener or (lambda _: None), migrations).run(rehearse)


def table_bytes(live: LiveSource) -> dict[TableName, int]:
    """How large live's tables are, in bytes, their indexes and toasted values included; a partitioned one with its partitions.

    Raises:
        LiveError: live does not answer.
    """
    text = resources.files("forensics.cause").joinpath("queries", "sizes.sql").read_text(encoding="utf-8")
    return {TableName(r["schema"], r["table"]): int(r["bytes"] or 0) for r in live.ask(sql.SQL(text))}  # type: ignore[arg-type]


def _in_function(hazard: Hazard) -> bool:
    return (hazard.within or "").startswith("function")


@dataclass
class _Preflight:
    live: LiveSource
    tell: Listener
    migrations: Sequence[Migration]
    found: list[Forewarning] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._gone: set[str] = set()
        self._dropped: dict[TableName, Virtual] = {}
        self._catalog = self.live.catalog
        self._forecast = Forecast(self._catalog, self._schema)
        self._migration = Migration("", Path(), b"")
        self._statement: Statement | None = None

    @cached_property
    def _schema(self) -> str:
        """Where names without a schema lead: where the history table lies, else public."""
        try:
            entries = read_history(self.live)
        except EvidenceError as error:
            self.notes.append(f"{error.message}")
            entries = []
        return schema_of(entries, self.migrations)

    def _rows_of(self, query: str) -> list[dict[str, Any]]:
        """The answer to `queries/QUERY.sql`."""
        text = resources.files("forensics.cause").joinpath("queries", f"{query}.sql").read_text(encoding="utf-8")
        return self.live.ask(sql.SQL(text))  # type: ignore[arg-type]

    @cached_property
    def _bytes(self) -> dict[TableName, int]:
        return table_bytes(self.live)

    @cached_property
    def _functions(self) -> dict[str, list[tuple[str, str]]]:
        """By name, the functions of live that may change rows."""
        found: dict[str, list[tuple[str, str]]] = {}
        for r in self._rows_of("functions"):
            found.setdefault(r["name"], []).append((r["body"], r["language"]))
        return found

    @cached_property
    def _with_triggers(self) -> set[TableName]:
        return {TableName(r["schema"], r["table"]) for r in self._rows_of("triggers")}

    @cached_property
    def _dependents(self) -> dict[tuple[TableName, str | None], list[str]]:
        found: dict[tuple[TableName, str | None], list[str]] = {}
        for r in self._rows_of("dependents"):
            by = f"{r['kind']} {TableName(r['by_schema'], r['by_table'])}"
            for column in {r["column"], None}:
                held = found.setdefault((TableName(r["schema"], r["table"]), column), [])
                held += [by] * (by not in held)
        return found

    def _standing_on(self, name: TableName, column: str | None = None) -> list[str]:
        """The views and rules that stand on a table, or on a column of it, and that no statement has dropped."""
        return [d for d in self._dependents.get((name, column), ()) if d.rsplit(" ", 1)[-1] not in self._gone and d not in self._gone]

    def run(self, rehearse: bool) -> Flight:
        migrations = self.migrations
        for migration in migrations:
            self.tell(f"counting for {migration.name}")
            self._migration = migration
            for statement in migration.statements:
                self._statement = statement
                hazards = self._forecast.reader(self._functions).read(statement)
                # An ALTER TABLE adds its columns first and looks at the rows last, in whatever order it says them.
                last = _LOOKS_AT_ROWS if statement.kind == "alter_table_stmt" else ()
                for hazard in (h for h in hazards if h.code not in last):
                    self._one(hazard)
                self._note_what_runs_beside(statement, hazards)
                before = dict(self._forecast.tables)
                self._forecast.advance(statement)
                self._drop_and_create(statement, before)
                for hazard in (h for h in hazards if h.code in last):
                    self._one(hazard)
        rehearsal = self._rehearse(migrations) if rehearse else None
        return Flight(tuple(self.found), tuple(m.name for m in migrations), tuple(dict.fromkeys(self.notes)), rehearsal)

    def _note_what_runs_beside(self, statement: Statement, hazards: Sequence[Hazard]) -> None:
        """Remember functions that the file makes, and views that it drops; say which triggers it sets off."""
        node = statement.node
        if statement.kind == "create_function_stmt":
            options = {o.def_elem.defname: o.def_elem.arg for o in node.options}
            body = options["as"].list.items[0].string.sval if "as" in options else ""
            language = options["language"].string.sval.lower() if "language" in options else "sql"
            self._functions[node.funcname[-1].string.sval] = [(body, language)]
        elif statement.kind == "drop_stmt" and node.remove_type in (pb.OBJECT_VIEW, pb.OBJECT_MATVIEW, pb.OBJECT_RULE):
            paths = [[n.string.sval for n in item.list.items] for item in node.objects]
            self._gone |= {f"rule {p[-1]} on {p[-2]}" if node.remove_type == pb.OBJECT_RULE else p[-1] for p in paths}
        elif statement.kind in ("drop_stmt", "alter_table_stmt"):
            for hazard in hazards:
                if hazard.cascade and hazard.table:
                    self._gone |= {d.rsplit(" ", 1)[-1] for d in self._standing_on(hazard.table, hazard.column)}
        if statement.kind in ("delete_stmt", "update_stmt", "insert_stmt", "merge_stmt"):
            name = self._forecast.name(node.relation)
            if name in self._with_triggers:
                self.notes.append(f"{name} has triggers: what they do is not counted; --rehearse runs them.")

    def _drop_and_create(self, statement: Statement, before: dict[TableName, Virtual]) -> None:
        """Say how many rows of a table that is dropped are not in the one that takes its name."""
        for name in before.keys() - self._forecast.tables.keys():
            self._dropped.setdefault(name, before[name])
        for name in (self._forecast.tables.keys() - before.keys()) & self._dropped.keys():
            old, new = self._dropped.pop(name), self._forecast.tables[name]
            key = old.table.primary_key
            columns = [c for c in (key.columns if key else old.columns) if c in new.columns]
            if name in self._forecast.made and name not in self._catalog.tables:
                continue
            hazard = Hazard("drop-and-create", statement.line, statement.text, name, node=statement.node)
            same = " AND ".join(f"n.{q(c)}::text IS NOT DISTINCT FROM o.{q(c)}::text" for c in columns) or "false"
            try:
                rows = self._count(
                    f"SELECT count(*) FROM {old.relation} AS o WHERE NOT EXISTS (SELECT 1 FROM {new.relation} AS n WHERE {same})"
                )
            except LiveError as error:
                self.notes.append(
                    f"{self._migration.path}, line {statement.line}: what was copied into the new {name} was not counted: {error}"
                )
                continue
            says = (
                f"{rows:,} rows of the {name} that was dropped are not in the new one" if rows else f"every row of {name} is in the new one"
            )
            self._warn(hazard, rows, destroys=False, says=says)

    def _one(self, hazard: Hazard) -> None:
        if hazard.table in self._forecast.made and (hazard.code in ("long-lock", "table-rewrite") or hazard.destroys):
            return
        if _in_function(hazard):
            self._warn(hazard, None, says=f"{CODES[hazard.code].words}, when {hazard.within} is called")
            return
        try:
            _CHECKS.get(hazard.code, _Preflight._only_said)(self, hazard)
        except LiveError as error:
            if error.sqlstate is None or error.sqlstate[:2] not in ("22", "23", "25", "42") or error.sqlstate == "42501":
                raise
            words = error.message.split(" refuses a question: ", 1)[-1]
            self.notes.append(f"{self._migration.path}, line {hazard.line}: {hazard.code} could not be counted: {words}")
            self._warn(hazard, None, says=f"{CODES[hazard.code].words}; how many could not be counted: {words}")

    # --- asking ------------------------------------------------------------------------------------

    def _ask(self, text: str) -> list[dict[str, Any]]:
        return self.live.ask(self._forecast.select(text), self._forecast.schema)

    def _count(self, text: str) -> int:
        return int(next(iter(self._ask(text)[0].values())) or 0)

    def _virtual(self, hazard: Hazard) -> Virtual | None:
        return self._forecast.tables.get(hazard.table) if hazard.table else None

    def _warn(self, hazard: Hazard, rows: int | None, *, fails: bool = False, destroys: bool | None = None, says: str = "") -> None:
        destroys = hazard.destroys and not fails if destroys is None else destroys
        size = self._catalog.tables.get(hazard.table) if hazard.table else None
        self.found.append(
            Forewarning(
                self._migration.name, str(self._migration.path), hazard, rows, fails, destroys, says or CODES[hazard.code].words,
                size.rows_estimate if size and size.rows_estimate >= 0 else None,
                self._bytes.get(self._catalog.root(hazard.table)) if size and hazard.table else None,
            )
        )  # fmt: skip

    def _only_said(self, hazard: Hazard) -> None:
        self._warn(hazard, None if hazard.code == "dynamic-sql" and not hazard.known else 0, destroys=False)

    # --- objects -----------------------------------------------------------------------------------

    def _absent(self, hazard: Hazard) -> None:
        """A statement that names what is not there: IF EXISTS passes over it, anything else fails."""
        optional = bool(getattr(hazard.node, "missing_ok", False))
        what = f"{hazard.table}.{hazard.column}" if hazard.column else str(hazard.table)
        self._warn(hazard, 0, fails=not optional and not hazard.within, destroys=False, says=f"{what} is not there")

    def _drop_table(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None:
            self._absent(hazard)
            return
        assert hazard.table is not None and self._statement is not None
        rows = self._count(f"SELECT count(*) FROM {self._own(virtual)} AS t")
        same = {h.table for h in self._forecast.reader().read(self._statement) if h.code == hazard.code}
        holders: list[object] = [t for t in self._referring(hazard.table) if t not in same]
        holders += [t for t in self._heirs(hazard.table) if t not in same]
        holders += self._standing_on(hazard.table)
        if holders and not hazard.cascade:
            names = ", ".join(map(str, holders[:3]))
            self._warn(
                hazard,
                rows,
                fails=True,
                says=f"fails: {names} {'refers' if len(holders) == 1 else 'refer'} to {hazard.table}; it has {rows:,} rows",
            )
            return
        self._warn(hazard, rows, says=f"drops {rows:,} rows of {hazard.table}")
        for heir in self._heirs(hazard.table) if hazard.cascade else ():
            if heir not in same:
                taken = self._count(f"SELECT count(*) FROM {self._own(self._forecast.tables[heir])} AS t")
                self._warn(replace(hazard, code="drop-cascade", table=heir), taken, says=f"CASCADE drops {heir} too: {taken:,} rows")

    def _own(self, virtual: Virtual, only: bool = True) -> str:
        """A table as a FROM item: its own rows, without those of tables that inherit from it."""
        return (
            f"ONLY {virtual.relation}"
            if only and self._forecast.is_stored(virtual) and virtual.table.kind != "partitioned"
            else virtual.relation
        )

    def _heirs(self, name: TableName) -> list[TableName]:
        """Tables that inherit from one, and from those."""
        found = [n for n, v in sorted(self._forecast.tables.items()) if name in v.table.inherits]
        return [*found, *(h for f in found for h in self._heirs(f))]

    def _referring(self, name: TableName) -> list[TableName]:
        return sorted(n for n, v in self._forecast.tables.items() if n != name and any(f.parent == name for f in v.table.foreign_keys))

    def _drop_schema(self, hazard: Hazard) -> None:
        assert hazard.table is not None
        held = [n for n in self._forecast.tables if n.schema == hazard.table.schema]
        if hazard.table.table == "*":
            fails = bool(held) and not hazard.cascade
            self._warn(hazard, 0, fails=fails, destroys=False, says=f"fails: schema {hazard.table.schema} is not empty" if fails else "")
            return
        virtual = self._virtual(hazard)
        if virtual:
            rows = self._count(f"SELECT count(*) FROM {virtual.relation} AS t")
            self._warn(hazard, rows, says=f"drops {rows:,} rows of {hazard.table}")

    def _truncate(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None:
            self._absent(hazard)
            return
        assert hazard.table is not None
        rows = self._count(f"SELECT count(*) FROM {self._own(virtual)} AS t")
        named = {self._forecast.name(r) for r in ranges(hazard.node)}
        holders = [t for t in self._referring(hazard.table) if t not in named]
        if holders and not hazard.cascade:
            self._warn(hazard, rows, fails=True, says=f"fails: {', '.join(map(str, holders[:3]))} refers to {hazard.table}")
        else:
            self._warn(hazard, rows, says=f"empties {hazard.table}: {rows:,} rows")
            for heir in self._heirs(hazard.table) if all(r.inh for r in ranges(hazard.node)) else ():
                taken = self._count(f"SELECT count(*) FROM {self._own(self._forecast.tables[heir])} AS t")
                self._warn(replace(hazard, table=heir), taken, says=f"empties {heir}, which inherits from {hazard.table}: {taken:,} rows")

    def _cascade(self, hazard: Hazard) -> None:
        """CASCADE: of TRUNCATE, whole tables; of DROP, the foreign keys that refer to the object."""
        virtual = self._virtual(hazard)
        node = hazard.node
        if node.DESCRIPTOR.name == "DropdbStmt":
            self._warn(hazard, None, says=f"drops the database {node.dbname} with everything in it; what that is was not counted")
            return
        if node.DESCRIPTOR.name == "DropOwnedStmt":
            self._drop_owned(hazard)
            return
        if node.DESCRIPTOR.name == "DropStmt" and node.remove_type == pb.OBJECT_EXTENSION:
            self._drop_extension(hazard)
            return
        if node.DESCRIPTOR.name == "TruncateStmt" and virtual:
            rows = self._count(f"SELECT count(*) FROM {virtual.relation} AS t")
            self._warn(hazard, rows, says=f"CASCADE empties {hazard.table} too: {rows:,} rows")
            return
        keys = [f"{n}" for n in self._referring(hazard.table)] if hazard.table else []
        self._warn(
            hazard, 0, destroys=False, says=f"CASCADE drops foreign keys of {', '.join(keys[:3])}" if keys else CODES[hazard.code].words
        )

    def _drop_owned(self, hazard: Hazard) -> None:
        roles = {r.role_spec.rolename for r in hazard.node.roles}
        for r in self._rows_of("owned"):
            virtual = self._forecast.tables.get(TableName(r["schema"], r["table"]))
            if r["role"] in roles and virtual:
                rows = self._count(f"SELECT count(*) FROM {self._own(virtual)} AS t")
                self._warn(
                    replace(hazard, table=virtual.table.name),
                    rows,
                    says=f"drops {rows:,} rows of {virtual.table.name}, which {r['role']} owns",
                )

    def _drop_extension(self, hazard: Hazard) -> None:
        """Columns of an extension's types, and its own tables, go with it."""
        names = {i.string.sval for i in hazard.node.objects}
        for r in self._rows_of("extension_columns"):
            virtual = self._forecast.tables.get(TableName(r["schema"], r["table"]))
            if r["extension"] not in names or virtual is None or (r["column"] and r["column"] not in virtual.columns):
                continue
            name, column = virtual.table.name, r["column"]
            one = replace(hazard, table=name, column=column)
            rows = self._count(f"SELECT count({q(column) if column else '*'}) FROM {virtual.relation} AS t")
            if column and not hazard.cascade:
                self._warn(one, rows, fails=True, says=f"fails: {name}.{column} is of a type of extension {r['extension']}")
            elif column:
                self._warn(one, rows, says=f"drops {rows:,} values of {name}.{column}, which is of a type of extension {r['extension']}")
            else:
                self._warn(one, rows, says=f"drops {rows:,} rows of {name}, a table of extension {r['extension']}")

    def _drop_column(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None or hazard.column not in virtual.columns:
            self._absent(hazard)
            return
        assert hazard.table is not None
        rows = self._count(f"SELECT count({q(hazard.column)}) FROM {virtual.relation} AS t")
        holders = [
            n
            for n, v in sorted(self._forecast.tables.items())
            if any(f.parent == hazard.table and hazard.column in f.parent_columns for f in v.table.foreign_keys)
        ]
        if hazard.code == "drop-type" and not hazard.cascade:
            self._warn(hazard, rows, fails=True, says=f"fails: {hazard.table}.{hazard.column} is of that type")
        elif holders and not hazard.cascade:
            self._warn(hazard, rows, fails=True, says=f"fails: {', '.join(map(str, holders[:3]))} refers to it")
        elif (standing := self._standing_on(hazard.table, hazard.column)) and not hazard.cascade:
            self._warn(hazard, rows, fails=True, says=f"fails: {', '.join(standing[:3])} refers to it")
        else:
            self._warn(hazard, rows, says=f"drops {rows:,} values of {hazard.table}.{hazard.column}")

    def _detach(self, hazard: Hazard) -> None:
        name = self._forecast.name(getattr(hazard.node, "def").partition_cmd.name)
        rows = self._count(f"SELECT count(*) FROM {name.sql} AS t")
        self._warn(hazard, rows, destroys=False, says=f"takes {rows:,} rows out of {hazard.table}; they stay in {name}")

    # --- rows --------------------------------------------------------------------------------------

    def _delete(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None:
            self._absent(hazard)
            return
        assert hazard.table is not None
        node = hazard.node
        if node.DESCRIPTOR.name != "DeleteStmt":
            self._warn(hazard, None, says="MERGE deletes rows; how many is not counted without a rehearsal")
            return
        alias, condition = self._forecast.alias(node.relation), self._forecast.condition(node, node.using_clause)
        rows = self._count(f"SELECT count(*) FROM {self._own(virtual)} AS {alias} WHERE {condition}")
        self._warn(hazard, rows, says=f"deletes {rows:,} rows of {hazard.table}")
        for heir in self._heirs(hazard.table) if node.relation.inh else ():
            taken = self._count(f"SELECT count(*) FROM {self._own(self._forecast.tables[heir])} AS {alias} WHERE {condition}")
            self._warn(replace(hazard, table=heir), taken, says=f"deletes {taken:,} rows of {heir}, which inherits from {hazard.table}")
        for child, key, hit in self._forecast.hanging(hazard.table, alias, condition) if rows else ():
            own = f" AND ({self._forecast_condition_for_child(condition, alias)}) IS NOT TRUE" if child == hazard.table else ""
            taken = self._count(f"SELECT count(*) FROM {self._forecast.tables[child].relation} AS c WHERE {hit}{own}")
            if not taken:
                continue
            cascaded = Hazard("delete-cascades", hazard.line, hazard.sql, child, None, key.columns, within=hazard.within, node=node)
            if key.on_delete == "cascade":
                self._warn(cascaded, taken, says=f"deletes {taken:,} rows of {child} with them (ON DELETE CASCADE)")
            elif key.on_delete in ("set null", "set default"):
                nulled = Hazard(
                    "delete-cascades", hazard.line, hazard.sql, child, key.columns[0], key.columns, within=hazard.within, node=node
                )
                self._warn(nulled, taken, says=f"empties {child}.{key.columns[0]} in {taken:,} rows (ON DELETE {key.on_delete.upper()})")
            else:
                self._warn(cascaded, taken, fails=True, says=f"fails: {taken:,} rows of {child} refer to rows that it deletes")

    @staticmethod
    def _forecast_condition_for_child(condition: str, alias: str) -> str:
        """A table that refers to itself: rows that the statement deletes anyway are no obstacle."""
        return condition.replace(f"{alias}.", "c.")

    def _update(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None or hazard.column not in virtual.columns:
            self._absent(hazard)
            return
        node = hazard.node
        if node.DESCRIPTOR.name != "UpdateStmt":
            self._warn(
                hazard, None, says=f"overwrites values of {hazard.table}.{hazard.column}; how many is not counted without a rehearsal"
            )
            return
        alias = self._forecast.alias(node.relation)
        column = f"{alias}.{q(hazard.column)}"
        condition = self._forecast.condition(node, node.from_clause)
        target = next(t.res_target for t in node.target_list if t.res_target.name == hazard.column)
        simple = not node.from_clause and not node.HasField("with_clause")
        other = f" AND ({self._forecast.assigned(target)})::text IS DISTINCT FROM {column}::text" if simple else ""
        row = self._ask(
            f"SELECT count(*) FILTER (WHERE {column} IS NOT NULL{other}) AS taken, count(*) FILTER (WHERE {column} IS NULL) AS filled "
            f"FROM {virtual.relation} AS {alias} WHERE {condition}"
        )[0]
        says = f"overwrites {row['taken']:,} values of {hazard.table}.{hazard.column}"
        if row["filled"]:
            says += f" and fills {row['filled']:,} NULLs"
        self._warn(hazard, row["taken"], says=says)

    # --- what stands in the way --------------------------------------------------------------------

    def _not_null(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None or hazard.column not in virtual.columns:
            self._absent(hazard)
            return
        rows = self._count(f"SELECT count(*) FROM {virtual.relation} AS t WHERE {q(hazard.column)} IS NULL")
        self._warn(
            hazard,
            rows,
            fails=rows > 0,
            says=f"{rows:,} rows of {hazard.table} have NULL in {hazard.column}" if rows else "no NULL stands in its way",
        )

    def _new_not_null(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None:
            self._absent(hazard)
            return
        rows = self._count(f"SELECT count(*) FROM {virtual.relation} AS t")
        self._warn(
            hazard,
            rows,
            fails=rows > 0,
            says=f"fails: {hazard.table} has {rows:,} rows, and they would have no value in {hazard.column}" if rows else "",
        )

    def _unique(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None:
            self._absent(hazard)
            return
        node = hazard.node
        where = []
        if node.DESCRIPTOR.name == "IndexStmt":
            parts = [
                q(p.index_elem.name) if p.index_elem.name else f"({self._forecast.expression(p.index_elem.expr)})"
                for p in node.index_params
            ]
            if node.HasField("where_clause"):
                where.append(f"({self._forecast.expression(node.where_clause)})")
        else:
            parts = [q(c) for c in hazard.columns]
        if not node.nulls_not_distinct:
            where += [f"{p} IS NOT NULL" for p in parts]
        name = q(hazard.table.table) if hazard.table else "t"
        rows = self._count(
            f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {virtual.relation} AS {name}"
            f"{' WHERE ' + ' AND '.join(where) if where else ''} GROUP BY {', '.join(parts)} HAVING count(*) > 1) AS repeated"
        )
        self._warn(
            hazard, rows, fails=rows > 0, says=f"{rows:,} rows of {hazard.table} repeat another's values" if rows else "no value repeats"
        )

    def _foreign_key(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if hazard.node.DESCRIPTOR.name == "AlterTableCmd":
            # VALIDATE CONSTRAINT: the key is one of the table's.
            key = next(f for f in virtual.table.foreign_keys if f.name == hazard.node.name) if virtual else None
            parent_name, listed = (key.parent, list(key.parent_columns)) if key else (TableName("", ""), [])
        else:
            parent_name, listed = self._forecast.name(hazard.node.pktable), [k.string.sval for k in hazard.node.pk_attrs]
        parent = self._forecast.tables.get(parent_name)
        if virtual is None or parent is None:
            missing = str(parent_name) if parent is None else str(hazard.table)
            self._warn(hazard, 0, fails=not hazard.within, says=f"{missing} is not there")
            return
        primary = parent.table.primary_key
        theirs = listed or list(primary.columns if primary else ())
        given = " AND ".join(f"c.{q(c)} IS NOT NULL" for c in hazard.columns)
        pairs = " AND ".join(f"p.{q(t)} = c.{q(c)}" for c, t in zip(hazard.columns, theirs, strict=True))
        rows = self._count(
            f"SELECT count(*) FROM {virtual.relation} AS c WHERE {given} AND NOT EXISTS (SELECT 1 FROM {parent.relation} AS p WHERE {pairs})"
        )
        self._warn(
            hazard,
            rows,
            fails=rows > 0,
            says=f"{rows:,} rows of {hazard.table} refer to no row of {parent_name}" if rows else "every value refers to a row",
        )

    def _check(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None or hazard.table is None:
            self._absent(hazard)
            return
        constraint = hazard.node
        if constraint.DESCRIPTOR.name == "AlterTableCmd":
            constraint = self._forecast.unvalidated.get((hazard.table, constraint.name))
            if constraint is None:
                self._warn(hazard, None, says=f"looks at every row of {hazard.table}; whether all meet {hazard.node.name} was not counted")
                return
        condition = self._forecast.expression(_for_column(constraint.raw_expr, hazard.column) if hazard.column else constraint.raw_expr)
        rows = self._count(f"SELECT count(*) FROM {virtual.relation} AS {q(hazard.table.table)} WHERE ({condition}) IS FALSE")
        self._warn(
            hazard,
            rows,
            fails=rows > 0,
            says=f"{rows:,} rows of {hazard.table} do not meet the condition" if rows else "every row meets it",
        )

    def _type(self, hazard: Hazard) -> None:
        virtual = self._virtual(hazard)
        if virtual is None or hazard.column not in virtual.columns or hazard.table is None:
            self._absent(hazard)
            return
        definition = getattr(hazard.node, "def").column_def
        if standing := self._standing_on(hazard.table, hazard.column):
            self._warn(hazard, 0, fails=True, says=f"fails: {', '.join(standing[:3])} refers to it")
            return
        old = next(c.type for c in virtual.table.columns if c.name == hazard.column)
        new = ddl.format_type(definition.type_name)
        column, rows_of = q(hazard.column), f"FROM {virtual.relation} AS {q(hazard.table.table)}"
        value, read = f"{column}::{new}", column
        if definition.HasField("raw_default"):
            using = definition.raw_default
            value, read = f"({self._forecast.expression(using)})", ""
            # A cast to a type with a length cuts off what an assignment would refuse.
            if using.HasField("type_cast") and ddl.format_type(using.type_cast.type_name) == new and "(" not in new:
                read = self._forecast.expression(using.type_cast.arg)
        refused = self._refused(old, new, read, rows_of) if read else 0
        if refused:
            self._warn(hazard, refused, fails=True, says=f"{refused:,} values of {hazard.table}.{hazard.column} cannot be read as {new}")
            return
        try:
            lost = self._count(
                f"SELECT count(*) {rows_of} WHERE {column} IS NOT NULL AND ({value}::{old})::text IS DISTINCT FROM {column}::text"
            )
        except LiveError as error:
            if (error.sqlstate or "")[:2] != "22":
                raise
            self._no_way_back(hazard, f"SELECT count(({value})::text) {rows_of}")
            return
        self._warn(
            hazard,
            lost,
            says=f"changes {lost:,} values of {hazard.table}.{hazard.column} for good" if lost else "every value keeps what it says",
        )

    def _no_way_back(self, hazard: Hazard, asked: str) -> None:
        """A value cannot be turned into the old type again: either it cannot even be made, or what it says is another thing."""
        try:
            self._count(asked)
        except LiveError as error:
            if (error.sqlstate or "")[:2] != "22":
                raise
            self._warn(hazard, None, fails=True, says=f"fails: {error.message.split(' refuses a question: ', 1)[-1]}")
            return
        self._warn(
            hazard,
            None,
            says=f"turns values of {hazard.table}.{hazard.column} into what cannot be turned back; how many lose by it was not counted",
        )

    def _refused(self, old: str, new: str, column: str, rows_of: str) -> int:
        """How many values a cast refuses, where that can be told without trying."""
        column = f"({column})"
        if old.startswith(_TEXTS) and self._version >= _INPUT_IS_VALID:
            fitting = f"pg_catalog.pg_input_is_valid({column}::text, {sql.Literal(new).as_string(None)})"
            return self._count(f"SELECT count(*) {rows_of} WHERE {column} IS NOT NULL AND NOT {fitting}")
        if old.startswith(_NUMBERS) and new in _INTEGERS:
            top = 2 ** _INTEGERS[new]
            return self._count(f"SELECT count(*) {rows_of} WHERE round({column}::numeric) NOT BETWEEN {-top} AND {top - 1}")
        return 0

    @cached_property
    def _version(self) -> int:
        return int(self.live.ask(sql.SQL("SELECT current_setting('server_version_num')::int AS version"))[0]["version"])

    # --- the rehearsal -----------------------------------------------------------------------------

    def _rehearse(self, migrations: Sequence[Migration]) -> tuple[Rehearsed, ...]:
        """Run the statements on a scratch copy of the tables that they name, those around them included."""
        named = set()
        for migration in migrations:
            for statement in migration.statements:
                named |= {TableName(r.schemaname or self._schema, r.relname) for r in ranges(statement.node)}
        named |= {w.hazard.table for w in self.found if w.hazard.table}
        named = {self._catalog.root(n) for n in named if n in self._catalog.tables}
        parents = {f.parent for n in named for f in self._catalog.tables[n].foreign_keys}
        children = {t.name for t in self._catalog.roots if any(f.parent in named for f in t.foreign_keys)}
        self.tell("starting a scratch PostgreSQL")
        with Scratch() as scratch, Replay(scratch) as replay:
            statements = list(self.live.statements())
            if not statements:
                self.notes.append("No pg_dump suits the server: CHECK constraints, triggers, functions and views are not in the rehearsal.")
            replay.build(statements or definitions(self._catalog), self._catalog.extensions)
            watched = list(self._copy(replay, sorted(named | parents | children)))
            replay.finish()
            for one in watched:
                if words := replay.watch(one):
                    self.notes.append(f"{one.name} is not followed in the rehearsal: {words}.")
            replay.run(migrations, self._schema, lambda name: self.tell(f"rehearsing {name}"))
            took: dict[int, dict[str, int]] = {}
            for one in watched:
                for step, rows in replay.gone(one).items() if one.oid is not None else ():
                    if step:
                        took.setdefault(step, {})[str(one.name)] = rows
            for effect in replay.effects:
                if effect.step and effect.values > 0:
                    took.setdefault(effect.step, {})[f"{effect.name}.{effect.column}"] = effect.values
            self.notes += [n.replace("of the replay", "of the rehearsal") for n in replay.notes]
            return tuple(
                Rehearsed(s.migration, s.statement.line, s.statement.text, round(s.seconds, 4), s.error, took.get(s.number, {}))
                for s in replay.steps
            )

    def _copy(self, replay: Replay, names: Sequence[TableName]) -> Iterator[Watched]:
        dropped = {
            (w.hazard.table, w.hazard.column) for w in self.found if w.hazard.code in ("drop-column", "drop-type") and w.hazard.column
        }
        for name in names:
            table = self._catalog.tables[name]
            columns = tuple(c.name for c in table.columns if not c.generated)
            self.tell(f"copying {name}")
            started = time.monotonic()
            words = None
            for segment in self.live.segments(name, columns):
                words = words or replay.load(name, segment.columns, segment.blocks())
            if words:
                self.notes.append(f"{name} could not be copied for the rehearsal: {words}.")
                continue
            self.tell(f"copied {name} in {time.monotonic() - started:.1f} s")
            key = table.primary_key.columns if table.primary_key else ()
            values = tuple(c for c in columns if (name, c) in dropped)
            yield Watched(name, key, key or columns, values=values)


def _for_column(condition: Any, column: str) -> Any:
    """A domain's condition, as a column of it is to meet it."""
    copy = type(condition)()
    copy.CopyFrom(condition)
    for one in walk(copy):
        if one.DESCRIPTOR.name == "ColumnRef" and [f.string.sval for f in one.fields] == ["value"]:
            one.fields[0].string.sval = column
    return copy


_CHECKS: dict[str, Callable[[_Preflight, Hazard], None]] = {
    "drop-table": _Preflight._drop_table,
    "drop-schema": _Preflight._drop_schema,
    "drop-column": _Preflight._drop_column,
    "drop-type": lambda self, h: self._drop_column(h) if h.table else self._warn(h, 0, destroys=False, says="no column is of that type"),
    "drop-cascade": _Preflight._cascade,
    "detach-partition": _Preflight._detach,
    "truncate": _Preflight._truncate,
    "delete-all": _Preflight._delete,
    "delete-where": _Preflight._delete,
    "update-all": _Preflight._update,
    "update-where": _Preflight._update,
    "set-not-null": _Preflight._not_null,
    "add-not-null-column": _Preflight._new_not_null,
    "add-unique": _Preflight._unique,
    "add-foreign-key": _Preflight._foreign_key,
    "add-check": _Preflight._check,
    "type-change": _Preflight._type,
}


# --- what machines read --------------------------------------------------------------------------


def plain_flight(flight: Flight) -> dict[str, Any]:
    """Return the answer as `preflight --json` has it."""
    found: dict[str, Any] = {
        "hazards": [
            {
                "line": w.hazard.line, "sql": w.hazard.sql, "hazard": w.hazard.code,
                "schema": w.hazard.table.schema if w.hazard.table else None, "table": w.hazard.table.table if w.hazard.table else None,
                "column": w.hazard.column, "rows": w.rows, "fails": w.fails, "destroys": w.destroys, "says": w.says,
                "columns": list(w.hazard.columns), "within": w.hazard.within, "migration": w.migration, "file": w.path,
                "table_rows": w.table_rows, "table_bytes": w.table_bytes,
            }
            for w in flight.hazards
        ],
        "migrations": list(flight.migrations),
        "notes": list(flight.notes),
    }  # fmt: skip
    if flight.rehearsal is not None:
        found["rehearsal"] = [
            {"migration": r.migration, "line": r.line, "sql": r.sql, "seconds": r.seconds, "error": r.error, "took": r.took}
            for r in flight.rehearsal
        ]
    return found


def level(warning: Forewarning) -> str:
    """How loud a warning is: "error" where data would go or the statement would fail, "warning" where that is open, else "note"."""
    if warning.fails or (warning.destroys and warning.rows):
        return "error"
    return "warning" if warning.hazard.destroys and warning.rows is None else "note"


def github(flight: Flight) -> str:
    """Return the hazards as workflow commands that GitHub shows beside the lines of a pull request.

    Source: GitHub's documentation, "Workflow commands for GitHub Actions" (error, warning, notice; escapes).
    """
    words = {"error": "error", "warning": "warning", "note": "notice"}

    def data(text: str) -> str:
        return visible(text).replace("%", "%25")

    def value(text: str) -> str:
        return data(text).replace(":", "%3A").replace(",", "%2C")

    return "".join(
        f"::{words[level(w)]} file={value(w.path)},line={w.hazard.line},title={value(w.hazard.code)}::{data(_sentence(w))}\n"
        for w in flight.hazards
    )


def _sentence(warning: Forewarning) -> str:
    where = f"{warning.hazard.table}: " if warning.hazard.table and str(warning.hazard.table) not in warning.says else ""
    return f"{where}{warning.says}"


def _brackets(text: str) -> str:
    """Text in which SARIF sees no link."""
    return re.sub(r"([\\\[\]])", r"\\\1", visible(text))


def sarif(flight: Flight, version: str) -> dict[str, Any]:
    """Return the hazards as SARIF 2.1.0, which code scanning services take.

    Args:
        version: the kit's version.
    """
    codes = sorted({w.hazard.code for w in flight.hazards})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "forensics preflight", "version": version,
                        "rules": [{"id": c, "shortDescription": {"text": CODES[c].words}} for c in codes],
                    }
                },
                "results": [
                    {
                        "ruleId": w.hazard.code, "ruleIndex": codes.index(w.hazard.code), "level": level(w), "message": {"text": _brackets(_sentence(w))},
                        "locations": [
                            {"physicalLocation": {"artifactLocation": {"uri": quote(Path(w.path).as_posix())}, "region": {"startLine": w.hazard.line}}}
                        ],
                        "properties": {"rows": w.rows, "fails": w.fails},
                    }
                    for w in flight.hazards
                ],
            }
        ],
    }  # fmt: skip
