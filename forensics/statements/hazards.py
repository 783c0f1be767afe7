"""Hazards: what a statement can destroy, fail on, or hold up, read from its parse tree. Nothing is executed or counted.

Each kind has a code, which is also the name of its page: docs/hazards/CODE.md (problem, example, way out). The names of
hazards and the habit of one page a code follow squawk; typed hazards follow stripe/pg-schema-diff.

Source for what locks and rewrites: the PostgreSQL manual, ALTER TABLE (Notes) and Explicit Locking.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.errors import MigrationError
from forensics.evidence import ddl
from forensics.evidence.migrations import Migration, Statement, parse_statements
from forensics.model import Catalog, Table, TableName
from forensics.statements import plpgsql


@dataclass(frozen=True)
class Code:
    """A kind of hazard: whether it can destroy rows or values, whether it can fail on the data, and what it is in words."""

    code: str
    destroys: bool
    fails: bool
    words: str


CODES = {
    c.code: c
    for c in (
        Code("drop-table", True, False, "drops a table with all its rows"),
        Code("drop-column", True, False, "drops a column with all its values"),
        Code("drop-schema", True, True, "drops a schema; with CASCADE, every table in it"),
        Code("drop-type", True, True, "drops a type; with CASCADE, every column of that type"),
        Code(
            "drop-constraint",
            False,
            False,
            "drops a constraint: what it kept out can now be written",
        ),
        Code(
            "drop-cascade",
            True,
            False,
            "CASCADE takes whatever depends on the object, named or not",
        ),
        Code("truncate", True, False, "empties a table"),
        Code("delete-all", True, False, "deletes every row: there is no WHERE"),
        Code("delete-where", True, False, "deletes rows"),
        Code(
            "delete-cascades",
            True,
            True,
            "rows of another table go with the deleted ones, or forbid the deletion",
        ),
        Code("update-all", True, False, "overwrites a column in every row: there is no WHERE"),
        Code("update-where", True, False, "overwrites values of a column"),
        Code(
            "type-change",
            True,
            True,
            "changes a column's type: values may not fit, or lose what the new type has no room for",
        ),
        Code("set-not-null", False, True, "fails where the column holds NULL"),
        Code(
            "add-not-null-column",
            False,
            True,
            "adds a NOT NULL column without a default: fails where the table has rows",
        ),
        Code("add-unique", False, True, "fails where values repeat"),
        Code("add-foreign-key", False, True, "fails where a value refers to no row"),
        Code("add-check", False, True, "fails where a row does not meet the condition"),
        Code(
            "rename-table",
            False,
            False,
            "the table goes on under another name; code that runs still uses the old one",
        ),
        Code(
            "rename-column",
            False,
            False,
            "the column goes on under another name; code that runs still uses the old one",
        ),
        Code(
            "drop-and-create",
            True,
            False,
            "drops a table and makes one of the same name: what is not copied is gone",
        ),
        Code(
            "on-delete-cascade",
            False,
            False,
            "from now on, deleting a parent row deletes rows of this table",
        ),
        Code(
            "detach-partition",
            False,
            False,
            "the partition's rows are no rows of the table any more",
        ),
        Code(
            "dynamic-sql",
            False,
            False,
            "runs SQL that is put together when it runs: its text cannot be read from the file",
        ),
        Code(
            "side-effect",
            True,
            False,
            "rows went through a trigger, a rule or a function that the statement set off",
        ),
        Code("table-rewrite", False, False, "writes the whole table anew under an exclusive lock"),
        Code(
            "long-lock",
            False,
            False,
            "blocks readers or writers for as long as it takes to go through the table",
        ),
    )
}


@dataclass(frozen=True)
class Hazard:
    """One danger of one statement.

    `table` and `column` are what it is a danger to, None where the text does not say. `within` is the DO block, the
    function or the call of one that it stands in; what stands in a function runs only when that is called. `node` is the
    part of the parse tree that makes it one. `known` is for dynamic SQL whose text can be read all the same.
    """

    code: str
    line: int
    sql: str
    table: TableName | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()
    cascade: bool = False
    within: str | None = None
    node: Any = field(default=None, repr=False, compare=False)
    known: bool = False

    @property
    def destroys(self) -> bool:
        """Whether hazards of this kind can destroy rows or values."""
        return CODES[self.code].destroys


def read_hazards(
    migration: Migration, catalog: Catalog | None = None, schema: str = "public"
) -> list[tuple[Statement, list[Hazard]]]:
    """Return a migration's statements in order, each with its hazards.

    Args:
        catalog: the schema before it, where it is known: columns of a type, referencing tables.
        schema: where names without a schema lead.

    Raises:
        MigrationError: the file does not parse.
    """
    found = []
    reader = Reader(catalog or Catalog(), schema)
    dropped: set[TableName] = set()
    made: set[TableName] = set()
    for statement in migration.statements:
        some = reader.read(statement)
        name = None
        if statement.kind == "create_stmt":
            name = reader.name(statement.node.relation)
            made.add(name)
        elif statement.kind == "rename_stmt" and statement.node.rename_type == pb.OBJECT_TABLE:
            name = TableName(reader.name(statement.node.relation).schema, statement.node.newname)
        if name in dropped:
            some.append(Hazard("drop-and-create", statement.line, statement.text, name))
        dropped |= {h.table for h in some if h.code == "drop-table" and h.table and not h.within}
        # What the file itself made holds no rows that anybody would miss or wait for.
        found.append(
            (
                statement,
                [
                    h
                    for h in some
                    if h.table not in made or h.code in ("on-delete-cascade", "drop-and-create")
                ],
            )
        )
    return found


def hazards_of(
    migration: Migration, catalog: Catalog | None = None, schema: str = "public"
) -> list[Hazard]:
    """Return all hazards of a migration, in the order of its statements; as `read_hazards`."""
    return [h for _, some in read_hazards(migration, catalog, schema) for h in some]


class Reader:
    """Reads hazards from statements, one at a time.

    Args:
        catalog: the schema before the statement, as far as it is known.
        schema: where names without a schema lead.
        path: the schemas in which they are looked for after that.
        functions: by name, the CREATE FUNCTION of each that bears it, where calls are to be read.
    """

    def __init__(
        self,
        catalog: Catalog,
        schema: str = "public",
        path: Sequence[str] = (),
        functions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.catalog = catalog
        self.schema = schema
        self._path = (schema, *path)
        self._functions = functions or {}
        self._calls: list[str] = []

    def name(self, relation: Any) -> TableName:
        """The table that a RangeVar means."""
        return resolve(relation.schemaname, relation.relname, self._path, self.catalog.tables)

    def heirs(self, name: TableName) -> list[TableName]:
        """Tables that inherit from one (partitions are not meant), and from those."""
        return heirs(name, self.catalog.tables)

    def read(self, statement: Statement) -> list[Hazard]:
        """Return the hazards of one statement."""
        statement = what_runs(statement)
        found = self._stated(statement)
        if self._functions and statement.kind in _CALLERS:
            found += self._called(statement)
        return found

    def _stated(self, statement: Statement) -> list[Hazard]:
        made = _READERS.get(statement.kind)
        found = list(made(self, statement, statement.node)) if made else []
        if statement.kind in _REACHES_HEIRS and statement.node.relation.inh:
            found = [one for h in found for one in (h, *self._inherited(h))]
        if statement.kind not in ("do_stmt", "create_function_stmt"):
            found += self._in_with(statement)
        return [
            h if h.sql else replace(h, line=h.line or statement.line, sql=statement.text)
            for h in found
        ]

    def _inherited(self, hazard: Hazard) -> Iterator[Hazard]:
        """The same danger to the tables that inherit: an UPDATE of a table is one of theirs too. Keys alone are not inherited."""
        if hazard.table and hazard.code not in (
            "add-unique",
            "add-foreign-key",
            "on-delete-cascade",
            "detach-partition",
        ):
            yield from (replace(hazard, table=heir) for heir in self.heirs(hazard.table))

    def _in_with(self, statement: Statement) -> Iterator[Hazard]:
        """Data-modifying statements in a WITH clause."""
        if not hasattr(statement.node, "with_clause"):
            return
        for element in statement.node.with_clause.ctes:
            query = element.common_table_expr.ctequery
            kind = query.WhichOneof("node")
            if kind in ("delete_stmt", "update_stmt", "insert_stmt", "merge_stmt"):
                yield from self._stated(
                    Statement(statement.text, statement.line, kind, getattr(query, kind))
                )

    def _called(self, statement: Statement) -> Iterator[Hazard]:
        """What a statement does by calling functions."""
        for call in (m for m in walk(statement.node) if m.DESCRIPTOR.name == "FuncCall"):
            name = call.funcname[-1].string.sval
            if name not in self._calls:
                self._calls.append(name)
                for definition in self._functions.get(name, ()):
                    yield from (
                        replace(h, line=statement.line)
                        for h in self.defined(definition, f"a call of {name}")
                    )
                self._calls.pop()

    def defined(self, definition: str, within: str) -> list[Hazard]:
        """What running a function or a rule does.

        Args:
            definition: its CREATE FUNCTION or CREATE RULE, as `pg_get_functiondef` and `pg_get_ruledef` give it.
            within: what the hazards are said to stand in.

        What cannot be read is said to be dynamic SQL.
        """
        try:
            (statement,) = parse_statements(definition.encode("utf-8"), within)
        except MigrationError:  # of a server whose language this parser does not know
            return [Hazard("dynamic-sql", 1, definition, within=within)]
        if statement.kind == "rule_stmt":
            return list(self._within(self._parsed(statement, statement.node.actions), within))
        return list(self._body(statement, statement.node, within))

    # --- objects -----------------------------------------------------------------------------------

    def drop(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        cascade = node.behavior == pb.DROP_CASCADE
        for item in node.objects:
            if node.remove_type == pb.OBJECT_TABLE:
                yield self._hazard("drop-table", self._listed(item), cascade=cascade, node=node)
                if cascade:
                    yield from self._cascaded(self._listed(item), node)
            elif node.remove_type == pb.OBJECT_SCHEMA:
                schema = item.string.sval
                tables = (
                    [t.name for t in self.catalog.roots if t.name.schema == schema]
                    if cascade
                    else []
                )
                yield from (self._hazard("drop-schema", t, cascade=True, node=node) for t in tables)
                if not tables:
                    yield self._hazard(
                        "drop-schema", TableName(schema, "*"), cascade=cascade, node=node
                    )
            elif node.remove_type in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN):
                yield from self._drop_type(item.type_name, cascade, node)
            elif node.remove_type == pb.OBJECT_EXTENSION:
                yield self._hazard("drop-cascade", None, cascade=cascade, node=node)
            elif cascade and node.remove_type in (
                pb.OBJECT_FUNCTION,
                pb.OBJECT_SEQUENCE,
                pb.OBJECT_VIEW,
            ):
                yield self._hazard("drop-cascade", None, cascade=True, node=node)

    def _drop_type(self, type_name: Any, cascade: bool, node: Any) -> Iterator[Hazard]:
        path = [n.string.sval for n in type_name.names]
        spelled = {
            ddl.format_type(type_name),
            _spelled(path[-2] if len(path) > 1 else self.schema, path[-1]),
        }
        using = [
            (t.name, c.name)
            for t in self.catalog.roots
            for c in t.columns
            if c.type.removesuffix("[]") in spelled
        ]
        yield from (self._hazard("drop-type", t, c, cascade=cascade, node=node) for t, c in using)
        if not using:
            yield self._hazard("drop-type", None, cascade=cascade, node=node)

    def _cascaded(self, name: TableName, node: Any) -> Iterator[Hazard]:
        """DROP TABLE … CASCADE takes references to the table, and whole tables that inherit from it."""
        named = [self._listed(item) for item in node.objects]
        for table in (name, *(h for h in self.heirs(name) if h not in named)):
            yield self._hazard("drop-cascade", table, cascade=True, node=node)

    def drop_database(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        yield self._hazard("drop-cascade", None, cascade=True, node=node)

    def execute(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        """What was prepared runs now, with values that the parse tree of PREPARE does not have."""
        yield self._hazard("dynamic-sql", None, node=node)

    def domain(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        """What a domain demands from now on is demanded of every column of it."""
        path = [n.string.sval for n in node.type_name]
        spelled = {_spelled(path[-2] if len(path) > 1 else self.schema, path[-1])}
        constraint = getattr(node, "def").constraint
        code = {"C": "add-check", "O": "set-not-null"}.get(node.subtype)
        if code and not constraint.skip_validation:
            for table in self.catalog.roots:
                for column in (c.name for c in table.columns if c.type in spelled):
                    yield self._hazard(code, table.name, column, columns=(column,), node=constraint)

    def drop_owned(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        yield self._hazard(
            "drop-cascade", None, cascade=node.behavior == pb.DROP_CASCADE, node=node
        )

    def truncate(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        cascade = node.behavior == pb.DROP_CASCADE
        named = [n for r in node.relations for n in self._truncated(r.range_var)]
        for name in dict.fromkeys(named):
            yield self._hazard("truncate", name, cascade=cascade, node=node)
        if cascade:
            yield from (
                self._hazard("drop-cascade", t, cascade=True, node=node)
                for t in self.referencing(named)
            )

    def _truncated(self, relation: Any) -> list[TableName]:
        name = self.name(relation)
        return [name, *self.heirs(name)] if relation.inh else [name]

    def referencing(self, names: Sequence[TableName]) -> list[TableName]:
        """Tables that refer to any of `names`, to those that do, and so on."""
        found: list[TableName] = []
        waiting = list(names)
        while waiting:
            parent = waiting.pop(0)
            for table in self.catalog.tables.values():
                if (
                    table.name not in found
                    and table.name not in names
                    and any(f.parent == parent for f in table.foreign_keys)
                ):
                    found.append(table.name)
                    waiting.append(table.name)
        return found

    def rename(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        if node.rename_type == pb.OBJECT_TABLE:
            yield self._hazard("rename-table", self.name(node.relation), node=node)
        elif node.rename_type == pb.OBJECT_COLUMN and node.relation_type in (
            pb.OBJECT_TABLE,
            pb.OBJECT_FOREIGN_TABLE,
        ):
            yield self._hazard("rename-column", self.name(node.relation), node.subname, node=node)
        elif node.rename_type == pb.OBJECT_SCHEMA:
            tables = [t.name for t in self.catalog.roots if t.name.schema == node.subname]
            yield from (self._hazard("rename-table", t, node=node) for t in tables)

    def set_schema(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        if node.object_type == pb.OBJECT_TABLE:
            yield self._hazard("rename-table", self.name(node.relation), node=node)

    # --- rows --------------------------------------------------------------------------------------

    def delete(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        code = "delete-where" if node.HasField("where_clause") else "delete-all"
        yield self._hazard(code, self.name(node.relation), node=node)

    def update(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        code = "update-where" if node.HasField("where_clause") else "update-all"
        for target in node.target_list:
            yield self._hazard(code, self.name(node.relation), target.res_target.name, node=node)

    def insert(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        if node.on_conflict_clause.action == pb.ONCONFLICT_UPDATE:
            for target in node.on_conflict_clause.target_list:
                yield self._hazard(
                    "update-where", self.name(node.relation), target.res_target.name, node=node
                )

    def merge(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        whens = [clause.merge_when_clause for clause in node.merge_when_clauses]
        if any(when.command_type == pb.CMD_DELETE for when in whens):
            yield self._hazard("delete-where", self.name(node.relation), node=node)
        updated = (
            t.res_target.name
            for when in whens
            if when.command_type == pb.CMD_UPDATE
            for t in when.target_list
        )
        for column in dict.fromkeys(updated):
            yield self._hazard("update-where", self.name(node.relation), column, node=node)

    # --- ALTER TABLE, and what else changes a table's shape ------------------------------------------

    def alter(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        if node.objtype not in (pb.OBJECT_TABLE, pb.OBJECT_FOREIGN_TABLE):
            return
        name = self.name(node.relation)
        for item in node.cmds:
            yield from self._command(name, item.alter_table_cmd)

    def _command(self, name: TableName, command: Any) -> Iterator[Hazard]:
        kind, column = command.subtype, command.name
        cascade = command.behavior == pb.DROP_CASCADE
        definition = getattr(command, "def")
        if kind == pb.AT_DropColumn:
            yield self._hazard("drop-column", name, column, cascade=cascade, node=command)
            if cascade:
                yield self._hazard("drop-cascade", name, column, cascade=True, node=command)
        elif kind == pb.AT_AlterColumnType:
            old = self._column_type(name, column)
            new = ddl.format_type(definition.column_def.type_name)
            if not widens(old, new) or not _only_casts(definition.column_def.raw_default, column):
                yield self._hazard("type-change", name, column, node=command)
                yield self._hazard("table-rewrite", name, column, node=command)
        elif kind == pb.AT_SetNotNull:
            yield self._hazard("set-not-null", name, column, node=command)
        elif kind == pb.AT_AddColumn:
            yield from self._add_column(name, definition.column_def, command)
        elif kind == pb.AT_AddConstraint:
            yield from self._add_constraint(name, definition.constraint, ())
        elif kind == pb.AT_DropConstraint:
            yield self._hazard(
                "drop-constraint", name, columns=(column,), cascade=cascade, node=command
            )
            if cascade:
                yield self._hazard(
                    "drop-cascade", name, columns=(column,), cascade=True, node=command
                )
        elif kind == pb.AT_ValidateConstraint:
            table = self.catalog.tables.get(name)
            key = next((f for f in table.foreign_keys if f.name == column), None) if table else None
            keys = key.columns if key else ()
            code = "add-foreign-key" if key else "add-check"
            yield self._hazard(
                code, name, keys[0] if len(keys) == 1 else None, columns=keys, node=command
            )
        elif kind == pb.AT_DetachPartition:
            yield self._hazard("detach-partition", name, node=command)
        elif kind in (
            pb.AT_SetLogged,
            pb.AT_SetUnLogged,
            pb.AT_SetTableSpace,
            pb.AT_SetAccessMethod,
        ):
            yield self._hazard("table-rewrite", name, node=command)

    def _column_type(self, name: TableName, column: str) -> str | None:
        table = self.catalog.tables.get(name)
        found = table.column(column) if table else None
        return found.type if found else None

    def _add_column(self, name: TableName, definition: Any, command: Any) -> Iterator[Hazard]:
        kinds = {c.constraint.contype for c in definition.constraints}
        default = next(
            (
                c.constraint.raw_expr
                for c in definition.constraints
                if c.constraint.contype == pb.CONSTR_DEFAULT
            ),
            None,
        )
        serial = [n.string.sval for n in definition.type_name.names][-1:] in (
            ["serial"],
            ["bigserial"],
            ["smallserial"],
        )
        filled = serial or default is not None or kinds & {pb.CONSTR_IDENTITY, pb.CONSTR_GENERATED}
        if kinds & {pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY} and not filled:
            yield self._hazard("add-not-null-column", name, definition.colname, node=command)
        if (
            serial
            or kinds & {pb.CONSTR_IDENTITY, pb.CONSTR_GENERATED}
            or (default is not None and calls(default))
        ):
            yield self._hazard("table-rewrite", name, definition.colname, node=command)
        for constraint in definition.constraints:
            if constraint.constraint.contype not in (pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY):
                yield from self._add_constraint(name, constraint.constraint, (definition.colname,))

    def _add_constraint(
        self, name: TableName, constraint: Any, columns: tuple[str, ...]
    ) -> Iterator[Hazard]:
        kind = constraint.contype
        keys = columns or tuple(k.string.sval for k in constraint.keys)
        if kind in (pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE) and not constraint.indexname:
            yield self._hazard(
                "add-unique",
                name,
                keys[0] if len(keys) == 1 else None,
                columns=keys,
                node=constraint,
            )
            if kind == pb.CONSTR_PRIMARY:
                yield from (
                    self._hazard("set-not-null", name, k, columns=keys, node=constraint)
                    for k in keys
                )
        elif kind == pb.CONSTR_FOREIGN:
            keys = columns or tuple(k.string.sval for k in constraint.fk_attrs)
            if not constraint.skip_validation:
                yield self._hazard(
                    "add-foreign-key",
                    name,
                    keys[0] if len(keys) == 1 else None,
                    columns=keys,
                    node=constraint,
                )
            if constraint.fk_del_action == "c" and not self._cascades_already(name, keys):
                yield self._hazard(
                    "on-delete-cascade",
                    name,
                    keys[0] if len(keys) == 1 else None,
                    columns=keys,
                    node=constraint,
                )
        elif kind == pb.CONSTR_CHECK and not constraint.skip_validation:
            yield self._hazard("add-check", name, columns=keys, node=constraint)
        elif kind == pb.CONSTR_NOTNULL and not constraint.skip_validation:
            yield from (self._hazard("set-not-null", name, k, node=constraint) for k in keys)

    def _cascades_already(self, name: TableName, columns: tuple[str, ...]) -> bool:
        table = self.catalog.tables.get(name)
        return table is not None and any(
            f.columns == columns and f.on_delete == "cascade" for f in table.foreign_keys
        )

    def create(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        name = self.name(node.relation)
        for element in node.table_elts:
            definition = element.column_def
            constraints: list[tuple[Any, tuple[str, ...]]] = [
                (c.constraint, (definition.colname,)) for c in definition.constraints
            ]
            if element.HasField("constraint"):
                constraints = [(element.constraint, ())]
            for constraint, columns in constraints:
                yield from (
                    h
                    for h in self._add_constraint(name, constraint, columns)
                    if h.code == "on-delete-cascade"
                )

    def index(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        name = self.name(node.relation)
        columns = tuple(p.index_elem.name for p in node.index_params)
        if node.unique:
            yield self._hazard(
                "add-unique",
                name,
                columns[0] or None if len(columns) == 1 else None,
                columns=columns,
                node=node,
            )
        if not node.concurrent:
            yield self._hazard("long-lock", name, columns=columns, node=node)

    def heavy(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        for relation in ranges(node):
            yield self._hazard("long-lock", self.name(relation), node=node)

    def vacuum(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        if any(o.def_elem.defname == "full" for o in node.options):
            yield from (
                self._hazard("table-rewrite", self.name(r), node=node) for r in ranges(node)
            )

    # --- code --------------------------------------------------------------------------------------

    def block(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        options = {a.def_elem.defname: a.def_elem.arg for a in node.args}
        language = options["language"].string.sval if "language" in options else "plpgsql"
        body = options["as"].string.sval
        yield from self._code(statement, body, language, "a DO block")

    def function(self, statement: Statement, node: Any) -> Iterator[Hazard]:
        yield from self._body(statement, node, f"function {node.funcname[-1].string.sval}")

    def _body(self, statement: Statement, node: Any, within: str) -> Iterator[Hazard]:
        options = {o.def_elem.defname: o.def_elem.arg for o in node.options}
        language = options["language"].string.sval.lower() if "language" in options else "sql"
        if node.HasField("sql_body"):  # BEGIN ATOMIC … END: parsed with the statement
            parts = [item for listed in node.sql_body.list.items for item in listed.list.items]
            yield from self._within(self._parsed(statement, parts), within)
        elif "as" in options:
            body = options["as"].list.items[0].string.sval
            yield from self._code(statement, body, language, within)

    def _parsed(self, statement: Statement, parts: Iterable[Any]) -> Iterator[Hazard]:
        """What statements do that were parsed as parts of another."""
        for part in parts:
            kind = part.WhichOneof("node")
            yield from self.read(
                Statement(statement.text, statement.line, kind, getattr(part, kind))
            )

    def _code(
        self, statement: Statement, body: str, language: str, within: str
    ) -> Iterator[Hazard]:
        first = statement.line + statement.text[: max(statement.text.find(body), 0)].count("\n")
        queries = plpgsql.queries(statement, body) if language == "plpgsql" else [(1, body, False)]
        if language not in ("sql", "plpgsql") or queries is None:
            yield Hazard("dynamic-sql", statement.line, statement.text, within=within)
            return
        for line, text, dynamic in queries:
            if dynamic:
                constant = plpgsql.constant(text)
                yield Hazard(
                    "dynamic-sql", first + line - 1, text, within=within, known=constant is not None
                )
                if constant is None:
                    continue
                text = constant
            try:
                inner = parse_statements(text.encode("utf-8"), within)
            except MigrationError:
                # An assignment or a condition of PL/pgSQL, which is no statement.
                continue
            for one in inner:
                yield from self._within(self.read(replace(one, line=first + line - 1)), within)

    @staticmethod
    def _within(found: Iterable[Hazard], within: str) -> Iterator[Hazard]:
        """Say where hazards stand; those of a function that is called there keep its name, but where nothing runs yet."""
        for hazard in found:
            called = (hazard.within or "").startswith("a call of") and not within.startswith(
                "function"
            )
            yield hazard if called else replace(hazard, within=within)

    def _hazard(
        self, code: str, table: TableName | None, column: str | None = None, **more: Any
    ) -> Hazard:
        return Hazard(code, 0, "", table, column or None, **more)

    def _listed(self, item: Any) -> TableName:
        path = [n.string.sval for n in item.list.items]
        return resolve(path[-2] if len(path) > 1 else "", path[-1], self._path, self.catalog.tables)


# --- parse trees ---------------------------------------------------------------------------------


def walk(message: Any) -> Iterator[Any]:
    """Yield a protobuf message and all messages below it."""
    yield message
    for descriptor, value in message.ListFields():
        if descriptor.type == descriptor.TYPE_MESSAGE:
            for item in value if descriptor.is_repeated else (value,):
                yield from walk(item)


def what_runs(statement: Statement) -> Statement:
    """The statement that a statement runs: of EXPLAIN ANALYZE, what it explains; of others, itself."""
    if statement.kind == "explain_stmt":
        for option in (o.def_elem for o in statement.node.options):
            off = option.arg.string.sval.lower() in ("off", "false") or (
                option.arg.HasField("integer") and not option.arg.integer.ival
            )
            if option.defname == "analyze" and not off:
                kind = statement.node.query.WhichOneof("node")
                return replace(statement, kind=kind, node=getattr(statement.node.query, kind))
    return statement


def resolve(
    schema: str, table: str, path: Sequence[str], tables: Container[TableName]
) -> TableName:
    """The table that a name means: of its own schema, else of the first on the path that has one, else the path's first."""
    there = (TableName(s, table) for s in path if TableName(s, table) in tables)
    return TableName(schema, table) if schema else next(there, TableName(path[0], table))


def heirs(name: TableName, tables: Mapping[TableName, Table]) -> list[TableName]:
    """Tables that inherit from one, and from those; partitions are not meant."""
    own = [t.name for _, t in sorted(tables.items()) if name in t.inherits]
    return list(dict.fromkeys([*own, *(h for o in own for h in heirs(o, tables))]))


def ranges(message: Any) -> list[Any]:
    """All RangeVars at or below a message: the tables that it names."""
    return [m for m in walk(message) if m.DESCRIPTOR.name == "RangeVar"]


def calls(message: Any) -> bool:
    """Whether an expression calls a function: its value may then differ from row to row."""
    return any(
        m.DESCRIPTOR.name == "FuncCall" and m.funcname[-1].string.sval not in _STABLE
        for m in walk(message)
    )


_STABLE = {
    "now",
    "current_timestamp",
    "jsonb_build_object",
    "jsonb_build_array",
    "array",
    "lower",
    "upper",
}
_LENGTHS = re.compile(
    r"(character varying|bit varying|numeric|character|timestamp|time|interval)(?:\((\d+)(?:,(\d+))?\))?(.*)\Z"
)
_WIDER = {
    "smallint": {"integer", "bigint", "numeric"},
    "integer": {"bigint", "numeric", "double precision"},
    "bigint": {"numeric"},
    "real": {"double precision"},
}


def widens(old: str | None, new: str) -> bool:
    """Whether every value of type `old` fits `new` and keeps what it says."""
    if old is None:
        return False
    if old == new or (
        new == "text"
        and (
            old in ("character varying", "name", "uuid")
            or old.startswith(("character varying", "integer", "bigint"))
        )
    ):
        return True
    if new in _WIDER.get(old, ()):
        return True
    before, after = _LENGTHS.match(old), _LENGTHS.match(new)
    if before and after and (before[1], before[4]) == (after[1], after[4]):
        if after[2] is None:
            return True
        if before[2] is None:
            return False
        scale = [int(m[3] or 0) for m in (before, after)]
        return (
            int(after[2]) - scale[1] >= int(before[2]) - scale[0]
            and scale[1] >= scale[0]
            and before[1] != "character"
        )
    return False


def _only_casts(using: Any, column: str) -> bool:
    """Whether the USING of a new type is the column itself, cast or not; also where there is none."""
    kind = using.WhichOneof("node")
    while kind == "type_cast":
        using = using.type_cast.arg
        kind = using.WhichOneof("node")
    return kind is None or (
        kind == "column_ref" and using.column_ref.fields[-1].string.sval == column
    )


def _spelled(schema: str, name: str) -> str:
    return (
        str(TableName(schema, name))
        if schema != "public"
        else f"public.{TableName('public', name)}"
    )


def destructive(
    hazards: Iterable[Hazard], table: TableName, column: str | None = None
) -> Hazard | None:
    """The hazard among `hazards` that best says how rows of a table, or a column's values, were destroyed."""
    order = list(CODES)
    fitting = [
        h for h in hazards if h.table == table and h.column == column and h.code not in _HARMLESS
    ]
    if column is not None and not fitting:
        fitting = [h for h in hazards if h.table == table and h.column is None and h.destroys]
    return min(fitting, key=lambda h: order.index(h.code), default=None)


_HARMLESS = {
    "long-lock",
    "table-rewrite",
    "drop-constraint",
    "add-unique",
    "add-foreign-key",
    "add-check",
    "on-delete-cascade",
    "dynamic-sql",
    "set-not-null",
    "add-not-null-column",
}

_REACHES_HEIRS = ("delete_stmt", "update_stmt", "merge_stmt", "alter_table_stmt")
_CALLERS = (
    "select_stmt",
    "call_stmt",
    "insert_stmt",
    "update_stmt",
    "delete_stmt",
    "merge_stmt",
    "create_table_as_stmt",
)

_READERS: dict[str, Callable[[Reader, Statement, Any], Iterator[Hazard]]] = {
    "drop_stmt": Reader.drop,
    "drop_owned_stmt": Reader.drop_owned,
    "dropdb_stmt": Reader.drop_database,
    "execute_stmt": Reader.execute,
    "alter_domain_stmt": Reader.domain,
    "truncate_stmt": Reader.truncate,
    "rename_stmt": Reader.rename,
    "alter_object_schema_stmt": Reader.set_schema,
    "delete_stmt": Reader.delete,
    "update_stmt": Reader.update,
    "insert_stmt": Reader.insert,
    "merge_stmt": Reader.merge,
    "alter_table_stmt": Reader.alter,
    "create_stmt": Reader.create,
    "index_stmt": Reader.index,
    "reindex_stmt": Reader.heavy,
    "cluster_stmt": Reader.heavy,
    "refresh_mat_view_stmt": Reader.heavy,
    "lock_stmt": Reader.heavy,
    "vacuum_stmt": Reader.vacuum,
    "do_stmt": Reader.block,
    "create_function_stmt": Reader.function,
}
