"""What tables would hold after statements that have not run: SELECTs over a database that nothing is written to.

Each statement that would change a table's rows or shape becomes one more common table expression on top of the table
as it stands: DELETE a WHERE that keeps the others, UPDATE a CASE, DROP COLUMN a shorter list. A count after five
statements is one SELECT over five layers. So a DELETE of NULLs before SET NOT NULL counts, and so does a column that the
same file adds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb
from psycopg import sql

from forensics.evidence import ddl
from forensics.evidence.migrations import Statement
from forensics.model import Catalog, Column, ForeignKey, Key, Table, TableName
from forensics.model import quote_identifier as q
from forensics.statements.hazards import Reader, calls, heirs, ranges, resolve, walk, what_runs

_PASSES = {
    pb.AT_DropColumn: 0,
    pb.AT_DropConstraint: 0,
    pb.AT_AlterColumnType: 1,
    pb.AT_AddColumn: 2,
}
_INHERITED = (
    pb.AT_AddColumn,
    pb.AT_DropColumn,
    pb.AT_AlterColumnType,
    pb.AT_SetNotNull,
    pb.AT_DropNotNull,
)
_WRITING = ("insert_stmt", "update_stmt", "delete_stmt", "merge_stmt")
_WITH_INDEXES = 1 << 6  # CREATE_TABLE_LIKE_INDEXES
_WORD = re.compile(r"forensics_\d+\b")


@dataclass(frozen=True)
class Virtual:
    """A table as it would stand: its definition, and what to select it from (a quoted table, or one of our expressions)."""

    table: Table
    relation: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns' names, in order."""
        return tuple(c.name for c in self.table.columns)


@dataclass(frozen=True)
class Hanging:
    """Rows of a table that refer to rows which a DELETE takes.

    Attributes:
        child: the table.
        does: what becomes of them: "cascade", "set null", …
        columns: those that refer.
        hit: the condition under which a row `c` of the table is one.
    """

    child: TableName
    does: str
    columns: tuple[str, ...]
    hit: str


class Forecast:
    """A database as it would stand after some statements.

    Args:
        catalog: the schema as it is.
        schema: where names without a schema lead.

    Attributes:
        schema, path: where names without a schema lead now, and where they are looked for after that.
        made: tables that the statements made: they hold no rows that anybody would miss.
        unvalidated: by table and name, constraints that were added without a look at the rows.
    """

    def __init__(self, catalog: Catalog, schema: str = "public") -> None:
        self.schema = schema
        self.path: tuple[str, ...] = ()
        self._catalog = catalog
        self.unvalidated: dict[tuple[TableName, str], Any] = {}
        inherited = {p for t in catalog.tables.values() for p in t.inherits}
        # A table that others inherit from stands for its own rows only, as in a comparison; its heirs stand for theirs.
        self.tables: dict[TableName, Virtual] = {
            t.name: Virtual(t, f"ONLY {t.name.sql}" if t.name in inherited else t.name.sql)
            for t in catalog.tables.values()
            if t.kind in ("table", "partitioned", "partition")
        }
        self._layers: dict[str, str] = {}
        self.made: set[TableName] = set()

    @property
    def catalog(self) -> Catalog:
        """The schema as it would stand."""
        return replace(self._catalog, tables={n: v.table for n, v in sorted(self.tables.items())})

    def reader(self, functions: Mapping[str, Sequence[str]] | None = None) -> Reader:
        """What reads hazards from the next statement."""
        return Reader(self.catalog, self.schema, self.path, functions)

    # --- SELECTs -----------------------------------------------------------------------------------

    def select(self, text: str) -> sql.SQL:
        """Return a SELECT with the layers that it stands on."""
        wanted: list[str] = []
        waiting = _WORD.findall(text)
        while waiting:
            layer = waiting.pop()
            if layer not in wanted and layer in self._layers:
                wanted.append(layer)
                waiting += _WORD.findall(self._layers[layer])
        ordered = [n for n in self._layers if n in wanted]
        lead = ", ".join(f"{n} AS NOT MATERIALIZED ({self._layers[n]})" for n in ordered)
        return sql.SQL((f"WITH {lead} " if lead else "") + text)  # type: ignore[arg-type]

    def layer(self, text: str) -> str:
        """Note a SELECT as a layer; return the name to select it by."""
        name = f"forensics_{len(self._layers) + 1}"
        self._layers[name] = text
        return name

    def expression(self, node: Any) -> str:
        """A parsed expression as text, its subqueries over the tables as they would stand."""
        return ddl.expression_text(self._over_layers(node))

    def _over_layers(self, node: Any) -> Any:
        copy = type(node)()
        copy.CopyFrom(node)
        for element in (m for m in walk(copy) if m.DESCRIPTOR.name == "CommonTableExpr"):
            self._only_read(element)
        own = {m.ctename for m in walk(copy) if m.DESCRIPTOR.name == "CommonTableExpr"}
        for relation in ranges(copy):
            if not relation.schemaname and relation.relname in own:
                continue
            name = self.name(relation)
            if name not in self.tables:
                continue
            family = self.family(name, relation.inh)
            if any(self.tables[n].relation in self._layers for n in family):
                if not relation.alias.aliasname:
                    relation.alias.aliasname = relation.relname
                relation.relname, relation.inh = self._together(family), True
                relation.ClearField("schemaname")
            else:
                relation.schemaname = name.schema
        return copy

    def _only_read(self, element: Any) -> None:
        """Turn what writes in a WITH clause into a SELECT of the rows that it would return."""
        kind = element.ctequery.WhichOneof("node")
        if kind not in _WRITING or kind == "merge_stmt":
            return
        node = getattr(element.ctequery, kind)
        query = pb.Node()
        if kind == "insert_stmt":
            query.CopyFrom(node.select_stmt)
            name = self.name(node.relation)
            named = [c.res_target.name for c in node.cols] or list(
                self.tables[name].columns if name in self.tables else ()
            )
            for column in () if element.aliascolnames else named:
                element.aliascolnames.add().string.sval = column
        else:
            select = query.select_stmt
            select.from_clause.add().range_var.CopyFrom(node.relation)
            select.from_clause.extend(
                node.using_clause if kind == "delete_stmt" else node.from_clause
            )
            if node.HasField("where_clause"):
                select.where_clause.CopyFrom(node.where_clause)
            if node.HasField("with_clause"):
                select.with_clause.CopyFrom(node.with_clause)
            if node.returning_clause.exprs:
                select.target_list.extend(node.returning_clause.exprs)
            else:
                select.target_list.add().res_target.val.a_const.isnull = True
            select.limit_option, select.op = pb.LIMIT_OPTION_DEFAULT, pb.SETOP_NONE
        element.ctequery.CopyFrom(query)

    def family(self, name: TableName, inh: bool = True) -> list[TableName]:
        """The tables whose rows a statement means by a table: without ONLY, those that inherit from it too."""
        return [name, *heirs(name, {n: v.table for n, v in self.tables.items()})] if inh else [name]

    def _together(self, family: Sequence[TableName]) -> str:
        """A layer with the rows of a table and of its heirs."""
        if len(family) == 1:
            return self.tables[family[0]].relation
        listed = ", ".join(f"t.{q(c)}" for c in self.tables[family[0]].columns)
        return self.layer(
            " UNION ALL ".join(
                f"SELECT {listed} FROM {self.tables[n].relation} AS t" for n in family
            )
        )

    def from_items(self, items: Sequence[Any]) -> str:
        """FROM items as text, over the tables as they would stand."""
        tree = pb.ParseResult(version=180000)
        statement = tree.stmts.add().stmt.select_stmt
        statement.target_list.add().res_target.val.a_const.ival.ival = 1
        for item in items:
            statement.from_clause.add().CopyFrom(self._over_layers(item))
        return str(postgast.deparse(tree)).split(" FROM ", 1)[1]

    def condition(self, statement: Any, using: Sequence[Any]) -> str:
        """The condition under which a DELETE or UPDATE takes a row, to be asked of the target table under its alias."""
        where = (
            self.expression(statement.where_clause)
            if statement.HasField("where_clause")
            else "true"
        )
        if using:
            where = f"EXISTS (SELECT 1 FROM {self.from_items(using)} WHERE {where})"
        if statement.HasField("with_clause"):
            where = f"({self._with(statement)}SELECT {where})"
        return where

    def _with(self, statement: Any) -> str:
        """A statement's WITH clause as text, over the tables as they would stand."""
        tree = pb.ParseResult(version=180000)
        select = tree.stmts.add().stmt.select_stmt
        select.with_clause.CopyFrom(self._over_layers(statement.with_clause))
        select.target_list.add().res_target.val.a_const.ival.ival = 1
        return str(postgast.deparse(tree)).removesuffix("SELECT 1")

    @staticmethod
    def alias(relation: Any) -> str:
        """What a statement calls its target table, quoted."""
        return q(relation.alias.aliasname or relation.relname)

    # --- statements --------------------------------------------------------------------------------

    def advance(self, statement: Statement) -> None:
        """Take a statement as done."""
        statement = what_runs(statement)
        inner = []
        for element in (
            statement.node.with_clause.ctes if hasattr(statement.node, "with_clause") else ()
        ):
            query = element.common_table_expr.ctequery
            if (kind := query.WhichOneof("node")) in _WRITING:
                inner.append(Statement(statement.text, statement.line, kind, getattr(query, kind)))
        # Statements in WITH see the same rows as the one around them: what adds rows comes first here, what takes them last.
        for one in (i for i in inner if i.kind == "insert_stmt"):
            self.advance(one)
        if handler := _HANDLERS.get(statement.kind):
            handler(self, statement, statement.node)
        for one in (i for i in inner if i.kind != "insert_stmt"):
            self.advance(one)

    def replace_rows(self, name: TableName, text: str) -> None:
        """From now on a table's rows are those of a SELECT with the same columns."""
        self.tables[name] = replace(self.tables[name], relation=self.layer(text))

    def name(self, relation: Any) -> TableName:
        """The table that a RangeVar means."""
        return resolve(
            relation.schemaname, relation.relname, (self.schema, *self.path), self.tables
        )

    def _edit(self, name: TableName, change: Callable[[Table], Table]) -> None:
        self.tables[name] = replace(self.tables[name], table=change(self.tables[name].table))

    def _drop(self, statement: Statement, node: Any) -> None:
        reader = self.reader()
        gone = {
            h.table
            for h in reader.read(statement)
            if h.code in ("drop-table", "drop-schema", "drop-cascade") and h.table
        }
        for name in gone:
            self.tables.pop(name, None)
        for name, virtual in list(self.tables.items()):
            if any(f.parent in gone for f in virtual.table.foreign_keys):
                self._edit(
                    name,
                    lambda t: replace(
                        t, foreign_keys=tuple(f for f in t.foreign_keys if f.parent not in gone)
                    ),
                )
        if (
            node.remove_type in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN)
            and node.behavior == pb.DROP_CASCADE
        ):
            for hazard in reader.read(statement):
                if hazard.table in self.tables and hazard.column:
                    self._drop_column(hazard.table, hazard.column)

    def _truncate(self, statement: Statement, node: Any) -> None:
        for hazard in self.reader().read(statement):
            if hazard.table in self.tables:
                self._keep(hazard.table, "false")

    def _keep(self, name: TableName, condition: str, alias: str = "t") -> None:
        virtual = self.tables[name]
        listed = ", ".join(f"{alias}.{q(c)}" for c in virtual.columns)
        self.replace_rows(
            name, f"SELECT {listed} FROM {virtual.relation} AS {alias} WHERE {condition}"
        )

    def _delete(self, statement: Statement, node: Any) -> None:
        alias = self.alias(node.relation)
        self._take(self._written(node.relation), alias, self.condition(node, node.using_clause))

    def _take(self, names: Sequence[TableName], alias: str, given: str) -> None:
        """Take the rows that meet a condition out of tables, and what hangs on them with them."""
        for name in names:
            hanging, condition = self.hanging(name, alias, given), self.with_own(name, alias, given)
            for one in hanging:
                if one.does == "cascade" and one.child != name:
                    self._keep(one.child, f"({one.hit}) IS NOT TRUE", "c")
                elif one.does in ("set null", "set default") and one.child != name:
                    virtual = self.tables[one.child]
                    listed = (
                        f"CASE WHEN {one.hit} THEN NULL ELSE c.{q(n)} END AS {q(n)}"
                        if n in one.columns
                        else f"c.{q(n)}"
                        for n in virtual.columns
                    )
                    self.replace_rows(
                        one.child, f"SELECT {', '.join(listed)} FROM {virtual.relation} AS c"
                    )
            self._keep(name, f"({condition}) IS NOT TRUE", alias)

    def _merge(self, statement: Statement, node: Any) -> None:
        if any(w.merge_when_clause.command_type == pb.CMD_DELETE for w in node.merge_when_clauses):
            self._take(self._written(node.relation), self.alias(node.relation), self.merged(node))

    def merged(self, node: Any, column: str | None = None) -> str:
        """The condition under which a MERGE deletes a row of its target, or updates a column of it.

        The first of its WHENs that fits a row has it.
        """
        source = self.from_items([node.source_relation])
        on = self.expression(node.join_condition)
        hits, before = [], {pb.MERGE_WHEN_MATCHED: "", pb.MERGE_WHEN_NOT_MATCHED_BY_SOURCE: ""}
        for when in (w.merge_when_clause for w in node.merge_when_clauses):
            if when.match_kind not in before:
                continue
            fits = f"({self.expression(when.condition)})" if when.HasField("condition") else "true"
            does = (
                when.command_type == pb.CMD_DELETE
                if column is None
                else when.command_type == pb.CMD_UPDATE
                and column in {t.res_target.name for t in when.target_list}
            )
            if does and when.match_kind == pb.MERGE_WHEN_MATCHED:
                hits.append(
                    f"EXISTS (SELECT 1 FROM {source} WHERE ({on}) AND {fits}{before[when.match_kind]})"
                )
            elif does:
                hits.append(
                    f"(NOT EXISTS (SELECT 1 FROM {source} WHERE {on}) AND {fits}{before[when.match_kind]})"
                )
            before[when.match_kind] += f" AND {fits} IS NOT TRUE"
        condition = " OR ".join(hits) or "false"
        return (
            f"({self._with(node)}SELECT {condition})"
            if node.HasField("with_clause")
            else f"({condition})"
        )

    def _written(self, relation: Any) -> list[TableName]:
        """The tables whose rows a statement changes; none where the table that it names is not there."""
        name = self.name(relation)
        return self.family(name, relation.inh) if name in self.tables else []

    def hanging(self, name: TableName, alias: str, condition: str) -> list[Hanging]:
        """What refers to rows that a DELETE takes, each table once for what cascades to it, by whichever ways.

        A row that goes with a cascade is neither an obstacle nor emptied.
        """
        found: list[Hanging] = []
        hits: dict[TableName, list[str]] = {}
        columns: dict[TableName, dict[str, None]] = {}
        others: list[Hanging] = []
        for parent in self._downward(name):
            taken, parent_alias = (
                (condition, alias) if parent == name else (f"({' OR '.join(hits[parent])})", "c")
            )
            taken = self.with_own(parent, parent_alias, taken)
            if parent != name:
                hits[parent] = [taken]
            for child, key in self._referring(parent):
                ours = ", ".join(f"c.{q(n)}" for n in key.columns)
                theirs = ", ".join(f"{parent_alias}.{q(n)}" for n in self.referred(key))
                rows = self.layer(
                    f"SELECT {theirs} FROM {self.tables[parent].relation} AS {parent_alias} WHERE {taken}"
                )
                hit = f"({ours}) IN (SELECT * FROM {rows})"
                if key.on_delete != "cascade":
                    others.append(Hanging(child, key.on_delete, key.columns, hit))
                elif child != parent or parent == name:
                    hits.setdefault(child, []).append(hit)
                    columns.setdefault(child, {}).update(dict.fromkeys(key.columns))
        for child, listed in columns.items():
            found.append(Hanging(child, "cascade", tuple(listed), f"({' OR '.join(hits[child])})"))
        for one in others:
            gone = hits.get(one.child, ()) if one.child != name else ()
            left = f" AND ({' OR '.join(gone)}) IS NOT TRUE" if gone else ""
            found.append(replace(one, hit=f"{one.hit}{left}"))
        return [self._besides(one, alias, condition) if one.child == name else one for one in found]

    def _besides(self, one: Hanging, alias: str, condition: str) -> Hanging:
        """Of a table that refers to itself, the rows that a DELETE does not name: those that it does are gone anyway."""
        keys = next(self.referred(f) for _, f in self._referring(one.child))
        ours, theirs = (", ".join(f"{a}.{q(k)}" for k in keys) for a in ("c", alias))
        taken = (
            f"SELECT {theirs} FROM {self.tables[one.child].relation} AS {alias} WHERE {condition}"
        )
        return replace(one, hit=f"{one.hit} AND (({ours}) IN ({taken})) IS NOT TRUE")

    def _referring(self, parent: TableName) -> list[tuple[TableName, ForeignKey]]:
        """The foreign keys that lead to a table, with the tables that have them."""
        return [
            (n, f)
            for n, v in sorted(self.tables.items())
            for f in v.table.foreign_keys
            if f.parent == parent
        ]

    def _downward(self, name: TableName) -> list[TableName]:
        """A table and those that its deletes cascade to, each after all that cascade to it, as far as they go round in no circle."""
        finished: dict[TableName, None] = {}
        started = {name}
        waiting = [(name, iter(self._referring(name)))]
        while waiting:
            parent, keys = waiting[-1]
            child = next(
                (c for c, key in keys if key.on_delete == "cascade" and c not in started), None
            )
            if child is None:
                finished[waiting.pop()[0]] = None
            else:
                started.add(child)
                waiting.append((child, iter(self._referring(child))))
        return list(reversed(finished))

    def referred(self, key: ForeignKey) -> tuple[str, ...]:
        """The columns of the parent that a foreign key refers to."""
        primary = self.tables[key.parent].table.primary_key
        return key.parent_columns or (primary.columns if primary else ())

    def with_own(self, name: TableName, alias: str, condition: str) -> str:
        """The condition under which a DELETE takes a row of a table that refers to itself: with what hangs on it, and on that."""
        virtual = self.tables[name]
        key = next(
            (
                f
                for f in virtual.table.foreign_keys
                if f.parent == name and f.on_delete == "cascade"
            ),
            None,
        )
        if key is None:
            return condition
        parent = self.referred(key)
        layer = f"forensics_{len(self._layers) + 1}"
        taken, hung = (", ".join(f"{a}.{q(c)}" for c in parent) for a in (alias, "c"))
        names = ", ".join(f"k{i}" for i in range(len(parent)))
        on = " AND ".join(f"c.{q(c)} = p.k{i}" for i, c in enumerate(key.columns))
        self.layer(
            f"SELECT * FROM (WITH RECURSIVE taken ({names}) AS (SELECT {taken} FROM {virtual.relation} AS {alias} WHERE {condition} "
            f"UNION SELECT {hung} FROM {virtual.relation} AS c JOIN taken AS p ON {on}) SELECT * FROM taken) AS all_taken"
        )
        return f"({taken}) IN (SELECT * FROM {layer})"

    def _update(self, statement: Statement, node: Any) -> None:
        alias = self.alias(node.relation)
        values = {t.res_target.name: self.assigned(t.res_target) for t in node.target_list}
        if node.from_clause:
            where = self.expression(node.where_clause) if node.HasField("where_clause") else "true"
            news = ", ".join(f"{v} AS n{i}" for i, v in enumerate(values.values()))
            join = f" LEFT JOIN LATERAL (SELECT {news}, true AS hit FROM {self.from_items(node.from_clause)} WHERE {where} LIMIT 1) AS new_values ON true"
            condition = "new_values.hit"
            values = {c: f"new_values.n{i}" for i, c in enumerate(values)}
        else:
            join, condition = "", self.condition(node, ())
        for name in self._written(node.relation):
            virtual = self.tables[name]
            listed = (
                f"CASE WHEN {condition} THEN {values[c]} ELSE {alias}.{q(c)} END AS {q(c)}"
                if c in values
                else f"{alias}.{q(c)}"
                for c in virtual.columns
            )
            self.replace_rows(
                name, f"SELECT {', '.join(listed)} FROM {virtual.relation} AS {alias}{join}"
            )

    def assigned(self, target: Any) -> str:
        """The value that UPDATE gives a column, as text; NULL where only running it could tell."""
        if target.val.HasField("set_to_default") or target.val.HasField("multi_assign_ref"):
            return "NULL"
        return self.expression(target.val)

    def _insert(self, statement: Statement, node: Any) -> None:
        name = self.name(node.relation)
        if name not in self.tables or not node.HasField("select_stmt"):
            return
        virtual = self.tables[name]
        tree = pb.ParseResult(version=180000)
        tree.stmts.add().stmt.CopyFrom(self._over_layers(node.select_stmt))
        given = [c.res_target.name for c in node.cols] or list(virtual.columns)
        # A NULL or a literal that is selected has the type of the column that it goes to.
        typed = {
            c.name: kind
            for c in virtual.table.columns
            if (kind := self._null(c.type).removeprefix("NULL")) != "::text"
        }
        listed = ", ".join(
            f"new_rows.{q(c)}{typed.get(c, '')}" if c in given else "NULL" for c in virtual.columns
        )
        names = ", ".join(map(q, given))
        rows = str(postgast.deparse(tree))
        if node.HasField("with_clause"):
            rows = f"{self._with(node)}SELECT * FROM ({rows}) AS new_rows"
        self.replace_rows(
            name,
            f"SELECT {', '.join(f't.{q(c)}' for c in virtual.columns)} FROM {virtual.relation} AS t "
            f"UNION ALL SELECT {listed} FROM ({rows}) AS new_rows ({names})",
        )

    def _create(self, statement: Statement, node: Any) -> None:
        name = self._new(node.relation)
        if name in self.tables and node.relation.relpersistence != "t":
            return
        made = ddl.read_catalog([f"SET search_path = {q(self.schema)}", statement.text]).tables.get(
            name
        )
        if made is None:
            return
        for like in (
            e.table_like_clause for e in node.table_elts if e.HasField("table_like_clause")
        ):
            if (source := self.tables.get(self.name(like.relation))) is not None:
                keys = (
                    tuple(replace(k, name=f"{name.table}_{k.name}") for k in source.table.keys)
                    if like.options & _WITH_INDEXES
                    else ()
                )
                made = replace(
                    made, columns=(*source.table.columns, *made.columns), keys=(*made.keys, *keys)
                )
        self.made.add(name)
        listed = ", ".join(f"{self._null(c.type)} AS {q(c.name)}" for c in made.columns)
        self.tables[name] = Virtual(made, self.layer(f"SELECT {listed} WHERE false"))

    def _new(self, relation: Any) -> TableName:
        """The table that a CREATE makes: where the search path begins, not where it finds one of that name."""
        return TableName(relation.schemaname or self.schema, relation.relname)

    def _create_as(self, statement: Statement, node: Any) -> None:
        if node.objtype != pb.OBJECT_TABLE:
            return
        name = self._new(node.into.rel)
        tree = pb.ParseResult(version=180000)
        tree.stmts.add().stmt.CopyFrom(self._over_layers(node.query))
        targets = node.query.select_stmt.target_list
        names = [
            t.res_target.name
            or (
                t.res_target.val.column_ref.fields[-1].string.sval
                if t.res_target.val.HasField("column_ref")
                else ""
            )
            for t in targets
        ]
        if "" in names:
            names = [
                c
                for f in node.query.select_stmt.from_clause
                for r in ranges(f)
                if (v := self.tables.get(self.name(r)))
                for c in v.columns
            ]
        self.made.add(name)
        self.tables[name] = Virtual(
            Table(name, columns=tuple(Column(n, "text") for n in names)),
            self.layer(str(postgast.deparse(tree))),
        )

    def _null(self, kind: str) -> str:
        """NULL of a type that the database knows already; of others, of text."""
        base = kind.removesuffix("[]")
        if base.endswith("serial"):
            return "NULL::bigint"
        known = (
            base in self._catalog.enums
            or base in self._catalog.domains
            or base in self._catalog.composites
        )
        return (
            f"NULL::{kind}"
            if known or re.match(r"[a-z][a-z ]*(\(\d+(,\d+)?\))?[a-z ]*\Z", base)
            else "NULL::text"
        )

    def _alter(self, statement: Statement, node: Any) -> None:
        if node.objtype != pb.OBJECT_TABLE:
            return
        # PostgreSQL drops, then changes types, then adds columns, then all else, in whatever order they are written.
        for command in sorted(
            (c.alter_table_cmd for c in node.cmds),
            key=lambda c: _PASSES.get(c.subtype, len(_PASSES)),
        ):
            reaching = node.relation.inh and command.subtype in _INHERITED
            for name in self._written(node.relation)[: None if reaching else 1]:
                self.command(name, command)

    def command(self, name: TableName, command: Any) -> None:
        """Take one command of an ALTER TABLE as done."""
        kind, definition = command.subtype, getattr(command, "def")
        if (
            kind == pb.AT_AddColumn
            and definition.column_def.colname not in self.tables[name].columns
        ):
            self._add_column(name, definition.column_def)
        elif kind == pb.AT_DropColumn:
            self._drop_column(name, command.name)
        elif kind == pb.AT_AlterColumnType and command.name in self.tables[name].columns:
            target = ddl.format_type(definition.column_def.type_name)
            raw = definition.column_def.raw_default
            value = (
                self.expression(raw)
                if definition.column_def.HasField("raw_default")
                else f"{q(command.name)}::{target}"
            )
            self._rebuild(name, {command.name: value})
            self._edit(
                name,
                lambda t: replace(
                    t,
                    columns=tuple(
                        replace(c, type=target) if c.name == command.name else c for c in t.columns
                    ),
                ),
            )
        elif kind in (pb.AT_SetNotNull, pb.AT_DropNotNull):
            nullable = kind == pb.AT_DropNotNull
            self._edit(
                name,
                lambda t: replace(
                    t,
                    columns=tuple(
                        replace(c, nullable=nullable) if c.name == command.name else c
                        for c in t.columns
                    ),
                ),
            )
        elif kind == pb.AT_DropConstraint:
            self._edit(
                name,
                lambda t: replace(
                    t,
                    keys=tuple(k for k in t.keys if k.name != command.name),
                    foreign_keys=tuple(f for f in t.foreign_keys if f.name != command.name),
                ),
            )
        elif kind == pb.AT_AddConstraint and definition.constraint.contype == pb.CONSTR_FOREIGN:
            self._add_foreign_key(
                name,
                definition.constraint,
                tuple(k.string.sval for k in definition.constraint.fk_attrs),
            )
        elif kind == pb.AT_AddConstraint and definition.constraint.contype in (
            pb.CONSTR_PRIMARY,
            pb.CONSTR_UNIQUE,
        ):
            self._add_key(
                name,
                definition.constraint,
                tuple(k.string.sval for k in definition.constraint.keys),
            )
        if kind == pb.AT_AddConstraint and definition.constraint.skip_validation:
            self.unvalidated[name, definition.constraint.conname] = definition.constraint

    def _add_foreign_key(self, name: TableName, constraint: Any, columns: tuple[str, ...]) -> None:
        actions = {"c": "cascade", "n": "set null", "d": "set default", "r": "restrict"}
        key = ForeignKey(
            constraint.conname,
            columns,
            self.name(constraint.pktable),
            tuple(k.string.sval for k in constraint.pk_attrs),
            actions.get(constraint.fk_del_action, "no action"),
        )
        self._edit(name, lambda t: replace(t, foreign_keys=(*t.foreign_keys, key)))

    def _add_key(self, name: TableName, constraint: Any, columns: tuple[str, ...]) -> None:
        primary = constraint.contype == pb.CONSTR_PRIMARY
        if columns:  # one that is made of an index names none
            key = Key(
                constraint.conname or f"{name.table}_{'pkey' if primary else 'key'}",
                columns,
                primary,
            )
            self._edit(name, lambda t: replace(t, keys=(*t.keys, key)))

    def _add_column(self, name: TableName, definition: Any) -> None:
        kinds = {c.constraint.contype: c.constraint for c in definition.constraints}
        default = kinds.get(pb.CONSTR_DEFAULT)
        generated = kinds.get(pb.CONSTR_GENERATED)
        serial = [n.string.sval for n in definition.type_name.names][-1].endswith("serial")
        kind = "bigint" if serial else ddl.format_type(definition.type_name)
        if generated is not None:
            value = self.expression(generated.raw_expr)
        elif default is not None and not calls(default.raw_expr):
            value = self.expression(default.raw_expr)
        elif default is not None or serial or pb.CONSTR_IDENTITY in kinds:
            value = _some_value(kind, definition.colname)
        else:
            value = self._null(kind)
        virtual = self.tables[name]
        listed = ", ".join(
            [*(f"t.{q(c)}" for c in virtual.columns), f"{value} AS {q(definition.colname)}"]
        )
        self.replace_rows(name, f"SELECT {listed} FROM {virtual.relation} AS t")
        nullable = not kinds.keys() & {pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY}
        self._edit(
            name,
            lambda t: replace(t, columns=(*t.columns, Column(definition.colname, kind, nullable))),
        )
        for constraint in (kinds[k] for k in (pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE) if k in kinds):
            self._add_key(name, constraint, (definition.colname,))
        if pb.CONSTR_FOREIGN in kinds:
            self._add_foreign_key(name, kinds[pb.CONSTR_FOREIGN], (definition.colname,))

    def _drop_column(self, name: TableName, column: str) -> None:
        if column not in self.tables[name].columns:
            return
        self._edit(
            name,
            lambda t: replace(
                t,
                columns=tuple(c for c in t.columns if c.name != column),
                keys=tuple(k for k in t.keys if column not in k.columns),
                foreign_keys=tuple(f for f in t.foreign_keys if column not in f.columns),
            ),
        )
        self._rebuild(name, {})

    def _rebuild(self, name: TableName, values: dict[str, str]) -> None:
        virtual = self.tables[name]
        listed = ", ".join(
            f"{values[c]} AS {q(c)}" if c in values else f"{q(c)}" for c in virtual.columns
        )
        self.replace_rows(
            name, f"SELECT {listed or 'NULL'} FROM {virtual.relation} AS {q(name.table)}"
        )

    def _rename(self, statement: Statement, node: Any) -> None:
        name = self.name(node.relation)
        if name not in self.tables:
            return
        if node.rename_type == pb.OBJECT_TABLE:
            self._move(name, TableName(name.schema, node.newname))
        elif node.rename_type == pb.OBJECT_COLUMN and node.subname in self.tables[name].columns:
            virtual = self.tables[name]
            listed = ", ".join(
                f"{q(c)} AS {q(node.newname)}" if c == node.subname else q(c)
                for c in virtual.columns
            )
            self.replace_rows(name, f"SELECT {listed} FROM {virtual.relation} AS t")
            self._edit(name, lambda t: _with_column_renamed(t, node.subname, node.newname))
            for other in self.tables:
                self._edit(
                    other,
                    lambda t: _with_parent_column_renamed(t, name, node.subname, node.newname),
                )

    def _move(self, name: TableName, new: TableName) -> None:
        virtual = self.tables.pop(name)
        # A layer even where nothing else changed: the name that the statement gives is not yet the database's.
        listed = ", ".join(q(c) for c in virtual.columns) or "NULL"
        self.tables[new] = Virtual(
            replace(virtual.table, name=new),
            self.layer(f"SELECT {listed} FROM {virtual.relation} AS t"),
        )
        for other, held in list(self.tables.items()):
            if name in held.table.inherits:
                self._edit(
                    other,
                    lambda t: replace(
                        t, inherits=tuple(new if p == name else p for p in t.inherits)
                    ),
                )
            if any(f.parent == name for f in held.table.foreign_keys):
                self._edit(
                    other,
                    lambda t: replace(
                        t,
                        foreign_keys=tuple(
                            replace(f, parent=new) if f.parent == name else f
                            for f in t.foreign_keys
                        ),
                    ),
                )
        if name in self.made and new not in self._catalog.tables:
            self.made.add(
                new
            )  # one that takes a table's place takes its rows with it, as far as they were copied

    def _set_schema(self, statement: Statement, node: Any) -> None:
        name = self.name(node.relation)
        if node.object_type == pb.OBJECT_TABLE and name in self.tables:
            self._move(name, TableName(node.newschema, name.table))

    def _set(self, statement: Statement, node: Any) -> None:
        if node.name == "search_path" and node.args:
            self._look_in([a.a_const.sval.sval for a in node.args])

    def _look_in(self, schemas: Sequence[str]) -> None:
        named = [s for s in schemas if s and s != "$user"]
        if named:
            self.schema, self.path = named[0], tuple(named[1:])

    def _select(self, statement: Statement, node: Any) -> None:
        for target in node.target_list:
            call = target.res_target.val.func_call
            if [n.string.sval for n in call.funcname][-1:] == ["set_config"] and len(call.args) > 1:
                name, value = (a.a_const.sval.sval for a in call.args[:2])
                if name == "search_path":
                    self._look_in([part.strip().strip('"') for part in value.split(",")])


def _some_value(kind: str, column: str) -> str:
    """A value where only running it would tell which: each row's own where the type is one of keys, never NULL."""
    number = "row_number() OVER ()"
    if kind == "uuid":
        return f"md5({sql.Literal(column).as_string(None)} || {number})::uuid"
    if kind in ("smallint", "integer", "bigint", "numeric"):
        return f"({number})::{'bigint' if kind == 'smallint' else kind}"
    if kind.startswith(("timestamp", "date")):
        return f"now()::{kind}"
    return f"({number})::text" if kind == "text" or kind.startswith("character") else "''"


def _with_column_renamed(table: Table, old: str, new: str) -> Table:
    """A table after one of its columns was renamed: its keys and foreign keys go by the new name."""

    def named(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if c == old else c for c in columns)

    return replace(
        table,
        columns=tuple(replace(c, name=new) if c.name == old else c for c in table.columns),
        keys=tuple(replace(k, columns=named(k.columns)) for k in table.keys),
        foreign_keys=tuple(replace(f, columns=named(f.columns)) for f in table.foreign_keys),
    )


def _with_parent_column_renamed(table: Table, parent: TableName, old: str, new: str) -> Table:
    """A table after a column of a parent was renamed."""
    keys = tuple(
        replace(f, parent_columns=tuple(new if c == old else c for c in f.parent_columns))
        if f.parent == parent
        else f
        for f in table.foreign_keys
    )
    return replace(table, foreign_keys=keys)


_HANDLERS: dict[str, Callable[[Forecast, Statement, Any], None]] = {
    "drop_stmt": Forecast._drop,
    "truncate_stmt": Forecast._truncate,
    "delete_stmt": Forecast._delete,
    "merge_stmt": Forecast._merge,
    "update_stmt": Forecast._update,
    "insert_stmt": Forecast._insert,
    "create_stmt": Forecast._create,
    "create_table_as_stmt": Forecast._create_as,
    "alter_table_stmt": Forecast._alter,
    "rename_stmt": Forecast._rename,
    "alter_object_schema_stmt": Forecast._set_schema,
    "variable_set_stmt": Forecast._set,
    "select_stmt": Forecast._select,
}
