"""Counts what a hazard would destroy, and what stands in its way: SELECTs over the tables as they would stand.

Nothing is written: all is asked under live's read-only snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import Any

from postgast import pg_query_pb2 as pb
from psycopg import sql

from forensics.errors import LiveError
from forensics.evidence import ddl
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import Migration, Statement
from forensics.model import TableName
from forensics.model import quote_identifier as q
from forensics.preflight.forecast import Forecast, Virtual
from forensics.preflight.output import Forewarning, in_function
from forensics.preflight.surroundings import Surroundings
from forensics.statements.hazards import CODES, Hazard, walk

_TEXTS = ("text", "character varying", "character", "bpchar", "name", "json", "jsonb")
_INTEGERS = {"smallint": 15, "integer": 31, "bigint": 63}
_NUMBERS = (*_INTEGERS, "numeric", "real", "double precision")
_INPUT_IS_VALID = 160000  # the first version with pg_input_is_valid


def _of_a_table(
    check: Callable[[Counts, Hazard, TableName, Virtual], None],
) -> Callable[[Counts, Hazard], None]:
    """A check of a table that is there; of one that is not, just that is said."""

    @wraps(check)
    def checked(counts: Counts, hazard: Hazard) -> None:
        virtual = counts.virtual(hazard)
        if virtual is None or hazard.table is None:
            counts.absent(hazard)
        else:
            check(counts, hazard, hazard.table, virtual)

    return checked


def _of_a_column(
    check: Callable[[Counts, Hazard, TableName, str, Virtual], None],
) -> Callable[[Counts, Hazard], None]:
    """The same of a column."""

    @wraps(check)
    def checked(counts: Counts, hazard: Hazard) -> None:
        virtual = counts.virtual(hazard)
        if (
            virtual is None
            or hazard.table is None
            or hazard.column is None
            or hazard.column not in virtual.columns
        ):
            counts.absent(hazard)
        else:
            check(counts, hazard, hazard.table, hazard.column, virtual)

    return checked


@dataclass
class Counts:
    """Counts hazards one by one, and keeps what it found.

    Args:
        live: the database, under its snapshot.
        forecast: the tables as they would stand before the statement at hand.
        around: what stands around them.

    Attributes:
        migration, statement: the ones at hand.
        found: the hazards, counted.
        notes: what could not be counted, and why.
    """

    live: LiveSource
    forecast: Forecast
    around: Surroundings
    migration: Migration
    statement: Statement | None = None
    found: list[Forewarning] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._first = 0
        self._dropped: dict[TableName, Virtual] = {}
        self._successors: dict[TableName, tuple[Migration, Hazard, Virtual]] = {}

    def begin(self, migration: Migration, statement: Statement) -> None:
        """From now on `statement` is at hand."""
        self.migration, self.statement, self._first = migration, statement, len(self.found)

    def take(self, hazard: Hazard) -> None:
        """Count one hazard of the statement at hand.

        Raises:
            LiveError: the connection was lost, or live refuses to be read.
        """
        if hazard.table in self.forecast.made and hazard.code in ("long-lock", "table-rewrite"):
            return
        if in_function(hazard):
            self._warn(
                hazard, None, says=f"{CODES[hazard.code].words}, when {hazard.within} is called"
            )
            return
        try:
            _CHECKS.get(hazard.code, Counts._only_said)(self, hazard)
        except LiveError as error:
            if (
                error.sqlstate is None
                or error.sqlstate[:2] not in ("22", "23", "25", "42")
                or error.sqlstate == "42501"
            ):
                raise
            words = _words(error)
            self.notes.append(
                f"{self.migration.path}, line {hazard.line}: {hazard.code} could not be counted: {words}"
            )
            self._warn(
                hazard,
                None,
                says=f"{CODES[hazard.code].words}; how many could not be counted: {words}",
            )

    def take_what_runs_beside(self, statement: Statement) -> None:
        """Say what the triggers of the tables that the statement at hand writes to may destroy; only running them counts it."""
        for name, event in self._events(statement):
            for beside in self.around.set_off(name, event):
                found = self.forecast.reader(self.around.functions).defined(
                    beside.definition, f"{beside.name} of {name}"
                )
                for code, table in dict.fromkeys(
                    (h.code, h.table)
                    for h in found
                    if h.destroys or (h.code == "dynamic-sql" and not h.known)
                ):
                    hazard = Hazard(
                        "side-effect",
                        statement.line,
                        statement.text,
                        table,
                        within=f"{beside.name} of {name}",
                        node=statement.node,
                    )
                    self._warn(
                        hazard,
                        None,
                        says=f"sets off {beside.name} of {name}, which {CODES[code].words}{f' ({table})' if table else ''}; what that takes was not counted",
                    )

    def _events(self, statement: Statement) -> list[tuple[TableName, str]]:
        """Which tables the statement at hand writes to, and how: by what was found of it, and by its INSERTs."""
        found = []
        for warning in self.found[self._first :]:
            hazard = warning.hazard
            if hazard.table and not warning.fails and not in_function(hazard):
                event = _EVENTS.get(hazard.code)
                if hazard.code == "delete-cascades":
                    event = "update" if hazard.column else "delete"
                elif (
                    hazard.code == "drop-cascade" and hazard.node.DESCRIPTOR.name == "TruncateStmt"
                ):
                    event = "truncate"
                found += [(hazard.table, event)] if event else []
        if statement.kind != "create_function_stmt":
            inserts = (
                m for m in walk(statement.node) if m.DESCRIPTOR.name in ("InsertStmt", "MergeStmt")
            )
            found += [(self.forecast.name(m.relation), "insert") for m in inserts]
        return list(dict.fromkeys(found))

    def advance(self, statement: Statement) -> None:
        """Take the statement at hand as done, and remember which table took the name of one that was dropped."""
        before = dict(self.forecast.tables)
        self.forecast.advance(statement)
        for name in before.keys() - self.forecast.tables.keys():
            self._dropped.setdefault(name, before[name])
        for name in (self.forecast.tables.keys() - before.keys()) & self._dropped.keys():
            if name in self.live.catalog.tables:
                hazard = Hazard(
                    "drop-and-create", statement.line, statement.text, name, node=statement.node
                )
                self._successors.setdefault(name, (self.migration, hazard, self._dropped[name]))

    def compare_with_successors(self) -> None:
        """Say how many rows of a table that was dropped are not, in the end, in the one that has its name."""
        for name, (migration, hazard, old) in sorted(self._successors.items()):
            new = self.forecast.tables.get(name)
            if new is None:
                continue
            key = old.table.primary_key
            columns = [c for c in (key.columns if key else old.columns) if c in new.columns]
            same = (
                " AND ".join(f"n.{q(c)}::text IS NOT DISTINCT FROM o.{q(c)}::text" for c in columns)
                or "false"
            )
            text = f"SELECT count(*) FROM {old.relation} AS o WHERE NOT EXISTS (SELECT 1 FROM {new.relation} AS n WHERE {same})"
            self.migration = migration
            try:
                rows = self._count(text)
            except LiveError as error:
                if (error.sqlstate or "")[:2] not in ("22", "42"):
                    raise
                self.notes.append(
                    f"{migration.path}, line {hazard.line}: what was copied into the new {name} was not counted: {_words(error)}"
                )
                continue
            says = (
                f"{rows:,} rows of the {name} that was dropped are not in the new one"
                if rows
                else f"every row of {name} is in the new one"
            )
            # They are counted where the table is dropped.
            self._warn(hazard, rows, destroys=False, says=says)

    # --- asking ------------------------------------------------------------------------------------

    def _ask(self, text: str) -> list[dict[str, Any]]:
        return self.live.ask(self.forecast.select(text), self.forecast.schema)

    def _count(self, text: str) -> int:
        return int(next(iter(self._ask(text)[0].values())) or 0)

    def _rows(self, virtual: Virtual) -> int:
        return self._count(f"SELECT count(*) FROM {virtual.relation} AS t")

    def virtual(self, hazard: Hazard) -> Virtual | None:
        """The table of a hazard as it would stand, or None."""
        return self.forecast.tables.get(hazard.table) if hazard.table else None

    def _warn(
        self,
        hazard: Hazard,
        rows: int | None,
        *,
        fails: bool = False,
        destroys: bool | None = None,
        says: str = "",
    ) -> None:
        if destroys is None:
            # What the migrations themselves made holds nothing that anybody would miss.
            destroys = hazard.destroys and not fails and hazard.table not in self.forecast.made
        size = self.live.catalog.tables.get(hazard.table) if hazard.table else None
        self.found.append(
            Forewarning(
                self.migration.name,
                str(self.migration.path),
                hazard,
                rows,
                fails,
                destroys,
                says or CODES[hazard.code].words,
                size.rows_estimate if size and size.rows_estimate >= 0 else None,
                self.around.sizes.get(self.live.catalog.root(hazard.table))
                if size and hazard.table
                else None,
            )
        )

    def _only_said(self, hazard: Hazard) -> None:
        self._warn(
            hazard, None if hazard.code == "dynamic-sql" and not hazard.known else 0, destroys=False
        )

    # --- objects -----------------------------------------------------------------------------------

    def absent(self, hazard: Hazard) -> None:
        """A statement that names what is not there: IF EXISTS passes over it, anything else fails."""
        optional = bool(getattr(hazard.node, "missing_ok", False))
        if hazard.table not in self.forecast.tables and self.statement is not None:
            optional |= bool(
                getattr(self.statement.node, "missing_ok", False)
            )  # ALTER TABLE IF EXISTS
        what = f"{hazard.table}.{hazard.column}" if hazard.column else str(hazard.table)
        self._warn(
            hazard,
            0,
            fails=not optional and not hazard.within,
            destroys=False,
            says=f"{what} is not there",
        )

    @_of_a_table
    def _drop_table(self, hazard: Hazard, table: TableName, virtual: Virtual) -> None:
        rows = self._rows(virtual)
        holders = [
            t
            for t in (*self._referring(table), *self.forecast.family(table)[1:])
            if t not in self._named(hazard)
        ]
        holding = [str(h) for h in (*holders, *self.around.standing_on(table))]
        if holding and not hazard.cascade:
            refer = "refers" if len(holding) == 1 else "refer"
            self._warn(
                hazard,
                rows,
                fails=True,
                says=f"fails: {', '.join(holding[:3])} {refer} to {table}; it has {rows:,} rows",
            )
        else:
            self._warn(hazard, rows, says=f"drops {rows:,} rows of {table}")

    def _named(self, hazard: Hazard) -> set[TableName | None]:
        """The tables that the statement at hand takes by the same kind of hazard: they are no obstacle to one another."""
        assert self.statement is not None
        return {
            h.table for h in self.forecast.reader().read(self.statement) if h.code == hazard.code
        }

    def _referring(self, name: TableName) -> list[TableName]:
        return sorted(
            n
            for n, v in self.forecast.tables.items()
            if n != name and any(f.parent == name for f in v.table.foreign_keys)
        )

    def _drop_schema(self, hazard: Hazard) -> None:
        assert hazard.table is not None
        held = [n for n in self.forecast.tables if n.schema == hazard.table.schema]
        if hazard.table.table == "*":
            fails = bool(held) and not hazard.cascade
            self._warn(
                hazard,
                0,
                fails=fails,
                destroys=False,
                says=f"fails: schema {hazard.table.schema} is not empty" if fails else "",
            )
            return
        virtual = self.virtual(hazard)
        if virtual:
            rows = self._rows(virtual)
            self._warn(hazard, rows, says=f"drops {rows:,} rows of {hazard.table}")

    @_of_a_table
    def _truncate(self, hazard: Hazard, table: TableName, virtual: Virtual) -> None:
        rows = self._rows(virtual)
        holders = [t for t in self._referring(table) if t not in self._named(hazard)]
        if holders and not hazard.cascade:
            self._warn(
                hazard,
                rows,
                fails=True,
                says=f"fails: {', '.join(map(str, holders[:3]))} refers to {table}",
            )
        else:
            self._warn(hazard, rows, says=f"empties {table}: {rows:,} rows")

    def _cascade(self, hazard: Hazard) -> None:
        """What goes that the statement does not name: whole tables, or the foreign keys that refer to an object."""
        virtual, node = self.virtual(hazard), hazard.node
        kind = node.DESCRIPTOR.name
        if kind == "DropdbStmt":
            self._warn(
                hazard,
                None,
                says=f"drops the database {node.dbname} with everything in it; what that is was not counted",
            )
        elif kind == "DropOwnedStmt":
            self._drop_owned(hazard)
        elif kind == "DropStmt" and node.remove_type == pb.OBJECT_EXTENSION:
            self._drop_extension(hazard)
        elif virtual and kind == "TruncateStmt":
            rows = self._rows(virtual)
            self._warn(hazard, rows, says=f"CASCADE empties {hazard.table} too: {rows:,} rows")
        elif (
            virtual
            and kind == "DropStmt"
            and hazard.table not in self._named(replace(hazard, code="drop-table"))
        ):
            rows = self._rows(virtual)
            self._warn(
                hazard,
                rows,
                says=f"CASCADE drops {hazard.table} too, which inherits: {rows:,} rows",
            )
        else:
            keys = [f"{n}" for n in self._referring(hazard.table)] if hazard.table else []
            says = f"CASCADE drops foreign keys of {', '.join(keys[:3])}" if keys else ""
            self._warn(hazard, 0, destroys=False, says=says)

    def _drop_owned(self, hazard: Hazard) -> None:
        roles = {r.role_spec.rolename for r in hazard.node.roles}
        if "" in roles:  # CURRENT_USER and its like: who will run it is not known here
            self._warn(
                hazard,
                None,
                says="drops all that its role owns; which role will run it is not known, and nothing was counted",
            )
        for role, name in self.around.owned:
            virtual = self.forecast.tables.get(name)
            if role in roles and virtual:
                rows = self._rows(virtual)
                self._warn(
                    replace(hazard, table=name),
                    rows,
                    says=f"drops {rows:,} rows of {name}, which {role} owns",
                )

    def _drop_extension(self, hazard: Hazard) -> None:
        """Columns of an extension's types, and its own tables, go with it."""
        names = {i.string.sval for i in hazard.node.objects}
        for extension, name, column in self.around.of_extensions:
            virtual = self.forecast.tables.get(name)
            if (
                extension not in names
                or virtual is None
                or (column and column not in virtual.columns)
            ):
                continue
            one = replace(hazard, table=name, column=column)
            rows = self._count(
                f"SELECT count({q(column) if column else '*'}) FROM {virtual.relation} AS t"
            )
            if column and not hazard.cascade:
                self._warn(
                    one,
                    rows,
                    fails=True,
                    says=f"fails: {name}.{column} is of a type of extension {extension}",
                )
            elif column:
                self._warn(
                    one,
                    rows,
                    says=f"drops {rows:,} values of {name}.{column}, which is of a type of extension {extension}",
                )
            else:
                self._warn(
                    one,
                    rows,
                    says=f"drops {rows:,} rows of {name}, a table of extension {extension}",
                )

    @_of_a_column
    def _drop_column(self, hazard: Hazard, table: TableName, column: str, virtual: Virtual) -> None:
        rows = self._count(f"SELECT count({q(column)}) FROM {virtual.relation} AS t")
        holders = [
            n
            for n, v in sorted(self.forecast.tables.items())
            if any(f.parent == table and column in f.parent_columns for f in v.table.foreign_keys)
        ]
        if hazard.code == "drop-type" and not hazard.cascade:
            self._warn(hazard, rows, fails=True, says=f"fails: {table}.{column} is of that type")
        elif holders and not hazard.cascade:
            self._warn(
                hazard,
                rows,
                fails=True,
                says=f"fails: {', '.join(map(str, holders[:3]))} refers to it",
            )
        elif (standing := self.around.standing_on(table, column)) and not hazard.cascade:
            self._warn(
                hazard,
                rows,
                fails=True,
                says=f"fails: {', '.join(map(str, standing[:3]))} refers to it",
            )
        else:
            self._warn(hazard, rows, says=f"drops {rows:,} values of {table}.{column}")

    def _detach(self, hazard: Hazard) -> None:
        name = self.forecast.name(getattr(hazard.node, "def").partition_cmd.name)
        rows = self._count(f"SELECT count(*) FROM {name.sql} AS t")
        self._warn(
            hazard,
            rows,
            destroys=False,
            says=f"takes {rows:,} rows out of {hazard.table}; they stay in {name}",
        )

    # --- rows --------------------------------------------------------------------------------------

    @_of_a_table
    def _delete(self, hazard: Hazard, table: TableName, virtual: Virtual) -> None:
        node = hazard.node
        alias = self.forecast.alias(node.relation)
        merges = node.DESCRIPTOR.name == "MergeStmt"
        condition = (
            self.forecast.merged(node)
            if merges
            else self.forecast.condition(node, node.using_clause)
        )
        rows = self._count(f"SELECT count(*) FROM {virtual.relation} AS {alias} WHERE {condition}")
        self._warn(hazard, rows, says=f"deletes {rows:,} rows of {table}")
        for one in self.forecast.hanging(table, alias, condition) if rows else ():
            child = one.child
            taken = self._count(
                f"SELECT count(*) FROM {self.forecast.tables[child].relation} AS c WHERE {one.hit}"
            )
            if not taken:
                continue
            cascaded = Hazard(
                "delete-cascades",
                hazard.line,
                hazard.sql,
                child,
                None,
                one.columns,
                within=hazard.within,
                node=node,
            )
            if one.does == "cascade":
                self._warn(
                    cascaded,
                    taken,
                    says=f"deletes {taken:,} rows of {child} with them (ON DELETE CASCADE)",
                )
            elif one.does in ("set null", "set default"):
                nulled = replace(cascaded, column=one.columns[0])
                self._warn(
                    nulled,
                    taken,
                    says=f"empties {child}.{one.columns[0]} in {taken:,} rows (ON DELETE {one.does.upper()})",
                )
            elif beside := next(
                (
                    b
                    for b in self.around.set_off(table, "delete")
                    if self._takes(b.definition, child)
                ),
                None,
            ):
                # Whether the rows still refer to it by then, only running it tells.
                says = f"{taken:,} rows of {child} refer to rows that it deletes; {beside.name} of {table} may take them first"
                self._warn(cascaded, None, says=says)
            else:
                self._warn(
                    cascaded,
                    taken,
                    fails=True,
                    says=f"fails: {taken:,} rows of {child} refer to rows that it deletes",
                )

    def _takes(self, definition: str, child: TableName) -> bool:
        """Whether what a trigger or a rule runs may delete or change rows of a table."""
        found = self.forecast.reader(self.around.functions).defined(definition, "")
        return any(h.table == child or h.table is None for h in found)

    @_of_a_column
    def _update(self, hazard: Hazard, table: TableName, column: str, virtual: Virtual) -> None:
        node = hazard.node
        kind = node.DESCRIPTOR.name
        if kind not in ("UpdateStmt", "MergeStmt"):
            self._warn(
                hazard,
                None,
                says=f"overwrites values of {table}.{column}; how many is not counted without a rehearsal",
            )
            return
        alias = self.forecast.alias(node.relation)
        held, other = f"{alias}.{q(column)}", ""
        condition = (
            self.forecast.merged(node, column)
            if kind == "MergeStmt"
            else self.forecast.condition(node, node.from_clause)
        )
        if kind == "UpdateStmt" and not node.from_clause and not node.HasField("with_clause"):
            target = next(t.res_target for t in node.target_list if t.res_target.name == column)
            other = f" AND ({self.forecast.assigned(target)})::text IS DISTINCT FROM {held}::text"
        row = self._ask(
            f"SELECT count(*) FILTER (WHERE {held} IS NOT NULL{other}) AS taken, count(*) FILTER (WHERE {held} IS NULL) AS filled "
            f"FROM {virtual.relation} AS {alias} WHERE {condition}"
        )[0]
        says = f"overwrites {row['taken']:,} values of {table}.{column}"
        if row["filled"]:
            says += f" and fills {row['filled']:,} NULLs"
        self._warn(hazard, row["taken"], says=says)

    # --- what stands in the way --------------------------------------------------------------------

    @_of_a_column
    def _not_null(self, hazard: Hazard, table: TableName, column: str, virtual: Virtual) -> None:
        rows = self._count(
            f"SELECT count(*) FROM {virtual.relation} AS t WHERE {q(column)} IS NULL"
        )
        self._warn(
            hazard,
            rows,
            fails=rows > 0,
            says=f"{rows:,} rows of {table} have NULL in {column}"
            if rows
            else "no NULL stands in its way",
        )

    @_of_a_table
    def _new_not_null(self, hazard: Hazard, table: TableName, virtual: Virtual) -> None:
        rows = self._rows(virtual)
        self._warn(
            hazard,
            rows,
            fails=rows > 0,
            says=f"fails: {table} has {rows:,} rows, and they would have no value in {hazard.column}"
            if rows
            else "",
        )

    @_of_a_table
    def _unique(self, hazard: Hazard, table: TableName, virtual: Virtual) -> None:
        node = hazard.node
        where = []
        if node.DESCRIPTOR.name == "IndexStmt":
            parts = [
                q(p.index_elem.name)
                if p.index_elem.name
                else f"({self.forecast.expression(p.index_elem.expr)})"
                for p in node.index_params
            ]
            if node.HasField("where_clause"):
                where.append(f"({self.forecast.expression(node.where_clause)})")
        else:
            parts = [q(c) for c in hazard.columns]
        if not node.nulls_not_distinct:
            where += [f"{p} IS NOT NULL" for p in parts]
        name = q(table.table)
        rows = self._count(
            f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {virtual.relation} AS {name}"
            f"{' WHERE ' + ' AND '.join(where) if where else ''} GROUP BY {', '.join(parts)} HAVING count(*) > 1) AS repeated"
        )
        self._warn(
            hazard,
            rows,
            fails=rows > 0,
            says=f"{rows:,} rows of {table} repeat another's values"
            if rows
            else "no value repeats",
        )

    def _foreign_key(self, hazard: Hazard) -> None:
        virtual = self.virtual(hazard)
        if hazard.node.DESCRIPTOR.name == "AlterTableCmd":
            # VALIDATE CONSTRAINT: the key is one of the table's.
            key = (
                next((f for f in virtual.table.foreign_keys if f.name == hazard.node.name), None)
                if virtual
                else None
            )
            parent_name, listed = (
                (key.parent, list(key.parent_columns)) if key else (TableName("", ""), [])
            )
        else:
            parent_name, listed = (
                self.forecast.name(hazard.node.pktable),
                [k.string.sval for k in hazard.node.pk_attrs],
            )
        parent = self.forecast.tables.get(parent_name)
        if virtual is None or parent is None:
            missing = str(parent_name) if parent is None else str(hazard.table)
            self._warn(hazard, 0, fails=not hazard.within, says=f"{missing} is not there")
            return
        primary = parent.table.primary_key
        theirs = listed or list(primary.columns if primary else ())
        if len(theirs) != len(hazard.columns):
            self._warn(
                hazard,
                None,
                says=f"which key of {parent_name} it refers to is not known, and nothing was counted",
            )
            return
        given = " AND ".join(f"c.{q(c)} IS NOT NULL" for c in hazard.columns)
        pairs = " AND ".join(
            f"p.{q(t)} = c.{q(c)}" for c, t in zip(hazard.columns, theirs, strict=True)
        )
        rows = self._count(
            f"SELECT count(*) FROM {virtual.relation} AS c WHERE {given} AND NOT EXISTS (SELECT 1 FROM {parent.relation} AS p WHERE {pairs})"
        )
        self._warn(
            hazard,
            rows,
            fails=rows > 0,
            says=f"{rows:,} rows of {hazard.table} refer to no row of {parent_name}"
            if rows
            else "every value refers to a row",
        )

    @_of_a_table
    def _check(self, hazard: Hazard, table: TableName, virtual: Virtual) -> None:
        constraint = hazard.node
        if constraint.DESCRIPTOR.name == "AlterTableCmd":
            at = (table, hazard.node.name)
            constraint = self.forecast.unvalidated.get(at, self.around.unvalidated.get(at))
        if constraint is None:
            self._warn(hazard, 0, says=f"{hazard.node.name} holds already, or is not there")
            return
        condition = _condition(constraint, hazard.column)
        condition = condition if isinstance(condition, str) else self.forecast.expression(condition)
        rows = self._count(
            f"SELECT count(*) FROM {virtual.relation} AS {q(table.table)} WHERE ({condition}) IS FALSE"
        )
        self._warn(
            hazard,
            rows,
            fails=rows > 0,
            says=f"{rows:,} rows of {table} do not meet the condition"
            if rows
            else "every row meets it",
        )

    @_of_a_column
    def _type(self, hazard: Hazard, table: TableName, column: str, virtual: Virtual) -> None:
        definition = getattr(hazard.node, "def").column_def
        if standing := self.around.standing_on(table, column):
            self._warn(
                hazard,
                0,
                fails=True,
                says=f"fails: {', '.join(map(str, standing[:3]))} refers to it",
            )
            return
        old = next(c.type for c in virtual.table.columns if c.name == column)
        new = ddl.format_type(definition.type_name)
        held, rows_of = q(column), f"FROM {virtual.relation} AS {q(table.table)}"
        value, read = f"{held}::{new}", held
        if definition.HasField("raw_default"):
            using = definition.raw_default
            value, read = f"({self.forecast.expression(using)})", ""
            # A cast to a type with a length cuts off what an assignment would refuse.
            if (
                using.HasField("type_cast")
                and ddl.format_type(using.type_cast.type_name) == new
                and "(" not in new
            ):
                read = self.forecast.expression(using.type_cast.arg)
        refused = self._refused(old, new, read, rows_of) if read else 0
        if refused:
            self._warn(
                hazard,
                refused,
                fails=True,
                says=f"{refused:,} values of {table}.{column} cannot be read as {new}",
            )
            return
        try:
            lost = self._count(
                f"SELECT count(*) {rows_of} WHERE {held} IS NOT NULL AND ({value}::{old})::text IS DISTINCT FROM {held}::text"
            )
        except LiveError as error:
            if (error.sqlstate or "")[:2] != "22":
                raise
            self._no_way_back(hazard, f"SELECT count(({value})::text) {rows_of}")
            return
        self._warn(
            hazard,
            lost,
            says=f"changes {lost:,} values of {table}.{column} for good"
            if lost
            else "every value keeps what it says",
        )

    def _no_way_back(self, hazard: Hazard, asked: str) -> None:
        """A value cannot be turned into the old type again: either it cannot even be made, or what it says is another thing."""
        try:
            self._count(asked)
        except LiveError as error:
            if (error.sqlstate or "")[:2] != "22":
                raise
            self._warn(hazard, None, fails=True, says=f"fails: {_words(error)}")
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
            fitting = (
                f"pg_catalog.pg_input_is_valid({column}::text, {sql.Literal(new).as_string(None)})"
            )
            return self._count(
                f"SELECT count(*) {rows_of} WHERE {column} IS NOT NULL AND NOT {fitting}"
            )
        if old.startswith(_NUMBERS) and new in _INTEGERS:
            top = 2 ** _INTEGERS[new]
            return self._count(
                f"SELECT count(*) {rows_of} WHERE round({column}::numeric) NOT BETWEEN {-top} AND {top - 1}"
            )
        return 0

    @cached_property
    def _version(self) -> int:
        return int(
            self.live.ask(sql.SQL("SELECT current_setting('server_version_num')::int AS version"))[
                0
            ]["version"]
        )


def _words(error: LiveError) -> str:
    """What the server says, without our own words before."""
    return error.message.split(" refuses a question: ", 1)[-1]


def _condition(constraint: Any, column: str | None) -> Any:
    """A constraint's condition, parsed or as text; that of a domain as `column` has to meet it."""
    if constraint.contype == pb.CONSTR_NOTNULL:
        return " AND ".join(f"{q(k.string.sval)} IS NOT NULL" for k in constraint.keys)
    copy = type(constraint.raw_expr)()
    copy.CopyFrom(constraint.raw_expr)
    for one in walk(copy) if column else ():
        if one.DESCRIPTOR.name == "ColumnRef" and [f.string.sval for f in one.fields] == ["value"]:
            one.fields[0].string.sval = column
    return copy


_EVENTS = {
    "delete-all": "delete",
    "delete-where": "delete",
    "update-all": "update",
    "update-where": "update",
    "truncate": "truncate",
}

_CHECKS: dict[str, Callable[[Counts, Hazard], None]] = {
    "drop-table": Counts._drop_table,
    "drop-schema": Counts._drop_schema,
    "drop-column": Counts._drop_column,
    "drop-type": lambda self, h: (
        self._drop_column(h)
        if h.table
        else self._warn(h, 0, destroys=False, says="no column is of that type")
    ),
    "drop-cascade": Counts._cascade,
    "detach-partition": Counts._detach,
    "truncate": Counts._truncate,
    "delete-all": Counts._delete,
    "delete-where": Counts._delete,
    "update-all": Counts._update,
    "update-where": Counts._update,
    "set-not-null": Counts._not_null,
    "add-not-null-column": Counts._new_not_null,
    "add-unique": Counts._unique,
    "add-foreign-key": Counts._foreign_key,
    "add-check": Counts._check,
    "type-change": Counts._type,
}
