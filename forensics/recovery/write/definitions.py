"""What a dropped table needs in order to come back: the backup's own statements, in the backup's order.

Every statement is parsed by PostgreSQL's own parser and taken only where it is of a kind that builds a table, or makes
a function, a type or an extension that such a table's own definition names: nothing else of a dump is ever sent to a
database. Where no statements are known, tables are built from the backup's catalogue, without what that does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import postgast
from postgast import pg_query_pb2 as pb

from forensics.cause.replay import REACHING
from forensics.evidence.ddl import format_type, identifier
from forensics.model import Catalog, Column, ForeignKey, Table, TableName, quote_identifier
from forensics.recovery.write.sqltext import literal

Part = Literal["before", "after"]
_LEADING_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z))+")
_BEFORE_COMMANDS = frozenset(
    {
        pb.AT_ColumnDefault,
        pb.AT_AddIdentity,
        pb.AT_SetNotNull,
        pb.AT_DropNotNull,
        pb.AT_AttachPartition,
        pb.AT_AddInherit,
        pb.AT_ChangeOwner,
        pb.AT_SetStorage,
        pb.AT_SetCompression,
        pb.AT_SetStatistics,
        pb.AT_SetOptions,
        pb.AT_SetRelOptions,
        pb.AT_SetLogged,
        pb.AT_SetUnLogged,
    }
)
_KINDS = (
    {"smallint", "integer", "bigint", "numeric", "real", "double precision"},
    {"text", "character varying", "character", "bpchar", "name"},
    {"date", "timestamp without time zone", "timestamp with time zone"},
)
_LABEL = re.compile(r"'((?:[^']|'')*)'::")
_BOUND = re.compile(r"(?:FOR VALUES\b.*|DEFAULT)\Z", re.S)
_TYPE_MODIFIER = re.compile(r"\([^()]*\)|\[\]")


@dataclass(frozen=True)
class Definition:
    """One statement, without its semicolon.

    Attributes:
        part: whether it goes before the rows or after them.
        roles: the roles it names; it is passed over where one is not there.
        path: the search path that its unqualified names need, or "".
        lenient: it is tried, and a row in its way is a warning: a foreign key of a table that was not dropped.
        unless: an SQL condition under which it is passed over, because what it makes is there; or "".
    """

    sql: str
    part: Part
    roles: tuple[str, ...] = ()
    path: str = ""
    lenient: bool = False
    unless: str = ""


@dataclass(frozen=True)
class Incoming:
    """A foreign key by which a table that was not dropped referred to one that was."""

    table: TableName
    constraint: str


@dataclass(frozen=True)
class Extra:
    """Something else than a table that a table's definition names, and of which a catalogue of ours does not say whether live has it.

    `kind` and `name` are what DROP needs; `there` is an SQL condition that holds where it is there. `of_rows`: it is a
    function that takes rows of a returning table, and so goes with it.
    """

    kind: Literal["FUNCTION", "COLLATION", "EXTENSION"]
    name: str
    there: str
    of_rows: bool = False


@dataclass(frozen=True)
class Definitions:
    """The statements for some tables.

    Attributes:
        statements: in order.
        made: the types that are made, as (kind, name), and what is made besides where it is not there: in the order of making,
            because either may stand on the other.
        sequences, schemas: what else is made besides tables, as SQL names; schemas only where they are not there.
        incoming: foreign keys of other tables that are tried again.
        views: views of the backup that stood on the tables; they are not made again.
        defaults: columns of other tables that draw from a returning sequence again.
        unvalidated: constraints that the backup had not validated either.
        lacks: in what the tables come back otherwise than the backup had them, a sentence each.
        without: the same as names: (table, a column that lost its default, or a foreign key).
    """

    statements: tuple[Definition, ...]
    made: tuple[tuple[str, str] | Extra, ...] = ()
    sequences: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    views: tuple[str, ...] = ()
    defaults: tuple[tuple[TableName, str], ...] = ()
    unvalidated: frozenset[str] = frozenset()
    lacks: tuple[str, ...] = ()
    without: frozenset[tuple[TableName, str]] = frozenset()

    @property
    def extras(self) -> tuple[Extra, ...]:
        """What is made besides where it is not there."""
        return tuple(m for m in self.made if isinstance(m, Extra))

    def of(self, part: Part) -> Iterator[Definition]:
        """The statements of one part."""
        return (d for d in self.statements if d.part == part)


def definitions(
    ddl: Sequence[str],
    backup: Catalog,
    live: Catalog,
    tables: Sequence[TableName],
    columns: Sequence[Column] = (),
    besides: Definitions | None = None,
) -> Definitions:
    """Collect what makes `tables` again, with their partitions, sequences and types.

    Args:
        ddl: the backup's statements, as `store.get("ddl")` has them; empty where the backup is a database.
        backup, live: both catalogues.
        tables: root tables that live does not have, and partitions that it does not have of tables that it has.
        columns: columns of other tables, whose types are needed too.
        besides: what is made already when these are.
    """
    wanted = {name for name in backup.tables if {*above(backup, name)} & {*tables}}
    if not wanted and not columns:
        return Definitions(())
    types = types_used(
        backup, [*(c for n in sorted(wanted) for c in backup.tables[n].columns), *columns]
    )
    there = own_types(live) | {
        m[1] for m in (besides.made if besides else ()) if not isinstance(m, Extra)
    }
    statements = list(_statements(ddl))
    found = _Collector(backup, live, wanted, types - there, there)
    found.survey(statements, columns)
    for statement, path in statements:
        found.add(statement, path)
    if not found.tables and (wanted or not found.out):
        return _from_catalog(backup, live, sorted(tables), types - there)
    return found.result()


def above(catalog: Catalog, name: TableName) -> Iterator[TableName]:
    """A table and those that it is a partition of, one above the other."""
    one: TableName | None = name
    while one is not None and (table := catalog.tables.get(one)):
        yield one
        one = table.parent


def attached(ddl: Sequence[str]) -> dict[TableName, str]:
    """By partition, the statement that makes it in its place, of those that a dump makes first and attaches afterwards."""
    found: dict[TableName, str] = {}
    for statement, path in _statements(s for s in ddl if "ATTACH PARTITION" in s):
        for command in statement.node.cmds if statement.kind == "alter_table_stmt" else ():
            bound = _BOUND.search(statement.sql)
            if (
                command.alter_table_cmd.subtype == pb.AT_AttachPartition
                and statement.node.objtype == pb.OBJECT_TABLE
                and bound
            ):
                part = getattr(command.alter_table_cmd, "def").partition_cmd.name
                name, parent = (
                    TableName(r.schemaname or path or "public", r.relname)
                    for r in (part, statement.node.relation)
                )
                found[name] = f"CREATE TABLE {name.sql} PARTITION OF {parent.sql} {bound[0]}"
    return found


@dataclass(frozen=True)
class _Statement:
    sql: str
    kind: str
    node: Any


def _statements(ddl: Iterable[str]) -> Iterator[tuple[_Statement, str]]:
    """Every single statement that parses, with the search path that holds where it stands."""
    path = ""
    for text in ddl:
        try:
            tree = postgast.parse(text)
        except postgast.PgQueryError:
            continue  # the catalogue lists it among its unparsed texts
        raw_text = text.encode("utf-8")
        for raw in tree.stmts:
            end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(raw_text)
            sql = (
                _LEADING_COMMENTS.sub("", raw_text[raw.stmt_location : end].decode("utf-8"))
                .strip()
                .rstrip(";")
                .rstrip()
            )
            kind = raw.stmt.WhichOneof("node")
            node = getattr(raw.stmt, kind)
            if kind == "variable_set_stmt" and node.name == "search_path" and node.args:
                path = node.args[0].a_const.sval.sval
                continue
            yield _Statement(sql, kind, node), path


class _Collector:
    def __init__(
        self,
        backup: Catalog,
        live: Catalog,
        wanted: set[TableName],
        types: set[str],
        there: set[str],
    ) -> None:
        self.backup, self.live, self.wanted = backup, live, wanted
        # Partitions whose parent is there, and all that returns below them: they are attached when they are whole, because
        # PostgreSQL would otherwise make keys and indexes of its own for them.
        self.tops = {n for n in wanted if (p := backup.tables[n].parent) and p not in wanted}
        self.over = {n for t in self.tops for n in above(backup, t)} - wanted
        self.inner = {n for n in wanted if {*above(backup, n)} & self.tops}
        self.inner_indexes: dict[TableName, TableName] = {}  # by index
        self.attaching: list[Definition] = []
        self.path = ""
        self.out: list[Definition] = []
        self.incoming: list[Incoming] = []
        self.views: list[str] = []
        self.tables: set[TableName] = set()
        self.indexes: set[tuple[str, str]] = set()
        self.types = types
        self.there = there  # types that need not be made
        self.sequences = _sequences_needed(backup, live, wanted)
        self.schemas: tuple[str, ...] = ()
        self.made: list[tuple[str, str] | Extra] = []  # in the order in which the dump makes them
        self.collations: set[TableName] = set()
        self.functions: set[str] = set()  # signatures of those that the tables' definitions name
        self.extensions: tuple[str, ...] = ()
        self.unvalidated: set[str] = set()
        self.lacks: dict[tuple[TableName, str], str] = {}
        self.unless = self.text = ""
        self.lenient = False

    def result(self) -> Definitions:
        defaults = list(self._defaults())
        return Definitions(
            (*self.out, *self.attaching, *(Definition(text, "after") for _, _, text in defaults)),
            tuple(self.made),
            tuple(sorted(s.sql for s in self.sequences)),
            self.schemas,
            tuple(self.incoming),
            tuple(self.views),
            tuple((n, c) for n, c, _ in defaults),
            frozenset(self.unvalidated),
            tuple(self.lacks.values()),
            frozenset(self.lacks),
        )

    def survey(
        self, statements: Sequence[tuple[_Statement, str]], columns: Sequence[Column]
    ) -> None:
        """Find the functions, types and extensions that the tables' own definitions name, and what those name themselves.

        Args:
            columns: columns of other tables, which name some too.
        """
        defined: dict[TableName, list[tuple[str, Any]]] = {}
        made: dict[str, Any] = {}  # the statements that make types
        collations: set[TableName] = set()
        named: set[TableName] = set()
        called: set[TableName] = set()
        for statement, self.path in statements:
            node = statement.node
            if statement.kind == "create_function_stmt":
                name = self.name_of(node.funcname)
                for spelled in {name, TableName("", name.table)} if self.path else {name}:
                    defined.setdefault(spelled, []).append((self._signature(node), node))
            elif statement.kind == "define_stmt" and node.kind == pb.OBJECT_COLLATION:
                collations.add(self.name_of(node.defnames))
            elif (type_name := self._type_made(statement)) is not None:
                made[self._type(type_name)] = node
            elif self._belongs(statement):
                named |= self._names(node)
        for column in columns:
            named |= {name_of_type(t) for t in [base_type(column.type)] if "." in t}
            named |= self._names(_expression(column.default))
        own = own_types(self.backup)
        todo, types = [*named], [*(self.types | {self._type(n) for n in named} & own - self.there)]
        while todo or types:
            if types:
                # A multirange stands in the statement of its range.
                needed = types.pop()
                of_range = self.backup.multiranges.get(needed, needed)
                self.types |= {needed, of_range} - self.there
                found = self._names(made[of_range]) if of_range in made else set()
            else:
                found = set()
                for signature, node in defined.get(todo.pop(), ()):
                    if signature not in self.functions:
                        self.functions.add(signature)
                        called.add(self.name_of(node.funcname))
                        found |= self._names(node)
            todo += found - named
            named |= found
            types += {self._type(n) for n in found} & own - self.there - self.types
        self.collations = {n for n in named if n in collations}
        self.schemas = _schemas_needed(
            self.live,
            {
                *self.wanted,
                *self.sequences,
                *self.collations,
                *called,
                *map(name_of_type, self.types),
            },
        )
        known = {
            *defined,
            *collations,
            *self.backup.tables,
            *(s.name for s in self.backup.sequences),
        }
        elsewhere = [
            n
            for n in named - known
            if n.schema not in ("", "pg_catalog", "information_schema") and self._type(n) not in own
        ]
        if elsewhere:
            # Which of them brings what, a dump does not say.
            lacking = (
                set(self.backup.extensions) - set(self.live.extensions) - REACHING - {"plpgsql"}
            )
            self.extensions = tuple(sorted(lacking))

    def _belongs(self, statement: _Statement) -> bool:
        """Whether a statement defines one of the tables."""
        node, kind = statement.node, statement.kind
        if kind in ("create_stmt", "alter_table_stmt", "index_stmt", "create_trig_stmt"):
            return self.name(node.relation) in self.wanted
        return kind == "create_policy_stmt" and self.name(node.table) in self.wanted

    def _type_made(self, statement: _Statement) -> TableName | None:
        """The type that a statement makes, or None where it makes none."""
        match statement.kind:
            case "create_range_stmt" | "create_enum_stmt":
                return self.name_of(statement.node.type_name)
            case "create_domain_stmt":
                return self.name_of(statement.node.domainname)
            case "composite_type_stmt":
                return self.name(statement.node.typevar)
            case _:
                return None

    def _names(self, node: Any) -> set[TableName]:
        """What a definition names with a schema: functions, types, classes of operators."""
        lists = [f.funcname for f in postgast.find_nodes(node, pb.FuncCall)]
        lists += [t.names for t in postgast.find_nodes(node, pb.TypeName)]
        lists += [e.opclass for e in postgast.find_nodes(node, pb.IndexElem)]
        lists += [c.collname for c in postgast.find_nodes(node, pb.CollateClause)]
        if isinstance(node, pb.CreateTrigStmt):
            lists.append(node.funcname)
        # Without a schema it is either PostgreSQL's own, or of the dump's search path and then among what the dump defines.
        return {
            self.name_of(i) if len(i) > 1 else TableName("", i[0].string.sval) for i in lists if i
        }

    def _signature(self, node: Any) -> str:
        """A function as `to_regprocedure` takes it: its name, and the types of what goes into it."""
        into = (
            pb.FUNC_PARAM_IN,
            pb.FUNC_PARAM_INOUT,
            pb.FUNC_PARAM_VARIADIC,
            pb.FUNC_PARAM_DEFAULT,
        )
        types = [
            format_type(p.function_parameter.arg_type)
            for p in node.parameters
            if p.function_parameter.mode in into
        ]
        return f"{self.name_of(node.funcname).sql}({', '.join(types)})"

    def _defaults(self) -> Iterator[tuple[TableName, str, str]]:
        """Columns of tables that were not dropped that drew from a returning sequence, and lost their default with it."""
        drawn = {s: f"'{type_text(s)}'" for s in self.sequences}
        for name, table in sorted(self.backup.tables.items()):
            theirs = self.live.tables.get(name)
            for column in table.columns if theirs and name not in self.wanted else ():
                now = theirs.column(column.name) if theirs else None
                if (
                    now
                    and now.default is None
                    and any(text in (column.default or "") for text in drawn.values())
                ):
                    text = f"ALTER TABLE {name.sql} ALTER COLUMN {quote_identifier(column.name)} SET DEFAULT {column.default}"
                    yield name, column.name, text

    def name(self, relation: Any) -> TableName:
        return TableName(relation.schemaname or self.path or "public", relation.relname)

    def name_of(self, items: Sequence[Any]) -> TableName:
        words = [i.string.sval for i in items]
        return TableName(words[-2] if len(words) > 1 else self.path or "public", words[-1])

    def add(self, statement: _Statement, path: str) -> None:
        self.path, self.unless, self.text, self.lenient = path, "", statement.sql, False
        part = self._part(statement)
        if part is None:
            return
        lenient = self.lenient or self._is_incoming(statement)
        self.out.append(
            Definition(self.text, part, _roles(statement.node), path, lenient, self.unless)
        )

    def _part(self, statement: _Statement) -> Part | None:
        node = statement.node
        handler = getattr(self, f"_on_{statement.kind}", None)
        found: Part | None = handler(node) if handler else None
        return found

    def _extra(
        self, kind: Literal["FUNCTION", "COLLATION", "EXTENSION"], name: str, there: str
    ) -> Part:
        rows = kind == "FUNCTION" and any(type_text(n) in name for n in self.wanted)
        self.made.append(Extra(kind, name, there, rows))
        self.unless = there
        return "before"

    def _own_type(self, name: TableName) -> Part | None:
        if self._type(name) not in self.types:
            return None
        self.made.append(
            ("DOMAIN" if self._type(name) in self.backup.domains else "TYPE", self._type(name))
        )
        return "before"

    # --- one a kind of statement --------------------------------------------------------------------

    def _on_create_extension_stmt(self, node: Any) -> Part | None:
        if node.extname not in self.extensions:
            return None
        there = f"EXISTS (SELECT FROM pg_extension WHERE extname = {literal(node.extname)})"
        return self._extra("EXTENSION", quote_identifier(node.extname), there)

    def _on_create_function_stmt(self, node: Any) -> Part | None:
        signature = self._signature(node)
        return (
            self._extra("FUNCTION", signature, f"to_regprocedure({literal(signature)}) IS NOT NULL")
            if signature in self.functions
            else None
        )

    def _on_define_stmt(self, node: Any) -> Part | None:
        name = self.name_of(node.defnames)
        if node.kind != pb.OBJECT_COLLATION or name not in self.collations:
            return None
        there = (
            "EXISTS (SELECT FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace "
            f"WHERE c.collname = {literal(name.table)} AND n.nspname = {literal(name.schema)})"
        )
        return self._extra("COLLATION", name.sql, there)

    def _on_create_range_stmt(self, node: Any) -> Part | None:
        return self._own_type(self.name_of(node.type_name))

    def _on_create_enum_stmt(self, node: Any) -> Part | None:
        return self._own_type(self.name_of(node.type_name))

    def _on_create_domain_stmt(self, node: Any) -> Part | None:
        return self._own_type(self.name_of(node.domainname))

    def _on_composite_type_stmt(self, node: Any) -> Part | None:
        return self._own_type(self.name(node.typevar))

    def _on_alter_owner_stmt(self, node: Any) -> Part | None:
        if node.object_type == pb.OBJECT_SCHEMA:
            return "before" if node.object.string.sval in self.schemas else None
        if node.object_type in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN):
            return (
                "before" if self._type(self.name_of(node.object.list.items)) in self.types else None
            )
        return None

    def _on_create_stmt(self, node: Any) -> Part | None:
        name = self.name(node.relation)
        if name not in self.wanted:
            return None
        self.tables.add(name)
        gone = set()
        for element in node.table_elts:
            if element.HasField("constraint"):
                self._index(name, element.constraint.conname)
            elif element.HasField("column_def") and self._has_lost_its_default(
                name, element.column_def.colname
            ):
                gone.add(element.column_def.colname)
        if gone:
            self.text = _without_defaults(node, gone)
        return "before"

    def _has_lost_its_default(self, table: TableName, name: str) -> bool:
        """Whether a column's default is a label that live's type has not."""
        column = self.backup.tables[table].column(name)
        kind = base_type(column.type) if column else ""
        if (
            column is None
            or kind in self.types
            or kind not in self.backup.enums
            or kind not in self.live.enums
        ):
            return False
        label = _LABEL.match(column.default or "")
        if label is None or label[1].replace("''", "'") in self.live.enums[kind]:
            return False
        self.lacks[table, name] = (
            f"Column {table}.{name} comes back without its default {column.default}: live's type {kind} has no such label."
        )
        return True

    def _on_create_seq_stmt(self, node: Any) -> Part | None:
        return "before" if self.name(node.sequence) in self.sequences else None

    def _on_alter_seq_stmt(self, node: Any) -> Part | None:
        return "before" if self.name(node.sequence) in self.sequences else None

    def _on_alter_table_stmt(self, node: Any) -> Part | None:
        name = self.name(node.relation)
        commands = [c.alter_table_cmd for c in node.cmds]
        if name in self.sequences:
            return "before"
        if node.objtype == pb.OBJECT_INDEX:
            return self._on_index(name, commands)
        if name not in self.wanted:
            return self._on_other_table(name, commands)
        for command in commands:
            if command.subtype == pb.AT_AddConstraint:
                constraint = getattr(command, "def").constraint
                if constraint.contype == pb.CONSTR_FOREIGN and not self._can_be_declared(
                    name, constraint
                ):
                    return None
                if constraint.skip_validation:
                    self.unvalidated.add(constraint.conname)
                self._index(name, constraint.conname)
                if name in self.inner and constraint.contype != pb.CONSTR_FOREIGN:
                    return "before"
                # Rows return by the keys of the whole table; what a partition demands beyond that may stand in the way of some.
                self.lenient = name in self.inner
        return "before" if all(c.subtype in _BEFORE_COMMANDS for c in commands) else "after"

    def _index(self, table: TableName, name: str) -> None:
        self.indexes.add((table.schema, name))
        if table in self.inner:
            self.inner_indexes[TableName(table.schema, name)] = table

    def _on_index(self, name: TableName, commands: Sequence[Any]) -> Part | None:
        """A statement about an index; one may take the index of a partition under that of the whole table."""
        attach = next((c for c in commands if c.subtype == pb.AT_AttachPartition), None)
        part = self.name(getattr(attach, "def").partition_cmd.name) if attach else None
        if part is None or part not in self.inner_indexes:
            return "after" if tuple(name) in self.indexes else None
        if self.inner_indexes[part] in self.tops:
            # The table may have lost that index, and PostgreSQL itself looks for one that fits when it attaches a partition.
            there = f"EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass({literal(part.sql)}))"
            unless = f"to_regclass({literal(name.sql)}) IS NULL OR {there}"
            self.attaching.append(Definition(self.text, "before", path=self.path, unless=unless))
            return None
        return "before"

    def _on_other_table(self, name: TableName, commands: Sequence[Any]) -> Part | None:
        """A foreign key of a surviving table that was dropped together with its parent."""
        theirs = self.live.tables.get(name)
        for command in commands:
            if (
                command.subtype == pb.AT_AttachPartition
                and self.name(getattr(command, "def").partition_cmd.name) in self.tops
            ):
                self.attaching.append(Definition(self.text, "before", path=self.path))
                return None
            constraint = (
                getattr(command, "def").constraint
                if command.subtype == pb.AT_AddConstraint
                else None
            )
            if (
                constraint is not None
                and constraint.contype == pb.CONSTR_FOREIGN
                and self.name(constraint.pktable) in self.over
            ):
                self._went_with_a_partition(name, constraint)
                continue
            if (
                constraint is None
                or constraint.contype != pb.CONSTR_FOREIGN
                or self.name(constraint.pktable) not in self.wanted
            ):
                continue
            columns = {k.string.sval for k in constraint.fk_attrs}
            if theirs and columns <= {c.name for c in theirs.columns}:
                self.incoming.append(Incoming(name, constraint.conname))
                return "after"
        return None

    def _went_with_a_partition(self, name: TableName, constraint: Any) -> None:
        theirs = self.live.tables.get(name)
        if theirs and constraint.conname not in {k.name for k in theirs.foreign_keys}:
            self.lacks[name, constraint.conname] = (
                f"Table {name} has no foreign key {constraint.conname} to {self.name(constraint.pktable)} any more, as after DROP TABLE … CASCADE "
                f"of a partition; it is not declared again. By hand: {' '.join(self.text.split())};"
            )

    def _is_incoming(self, statement: _Statement) -> bool:
        return (
            statement.kind == "alter_table_stmt"
            and self.name(statement.node.relation) not in {*self.wanted, *self.sequences}
            and (statement.node.objtype == pb.OBJECT_TABLE)
        )

    def _can_be_declared(self, name: TableName, constraint: Any) -> bool:
        """Whether a table's foreign key finds its parent as it needs it: one that returns too, or live's."""
        parent = self.name(constraint.pktable)
        if parent in self.wanted:
            return True
        columns = [k.string.sval for k in constraint.fk_attrs]
        reason = undeclarable(
            self.backup.tables[name],
            columns,
            self.live.tables.get(parent),
            [k.string.sval for k in constraint.pk_attrs],
        )
        if reason:
            self.lacks[name, constraint.conname] = (
                f"Table {name} comes back without its foreign key {constraint.conname} to {parent}: {reason}."
            )
        return not reason

    def _on_index_stmt(self, node: Any) -> Part | None:
        name = self.name(node.relation)
        if name not in self.wanted:
            return None
        self._index(name, node.idxname)
        return "before" if name in self.inner else "after"

    def _on_create_trig_stmt(self, node: Any) -> Part | None:
        return "after" if self.name(node.relation) in self.wanted else None

    def _on_create_policy_stmt(self, node: Any) -> Part | None:
        return "after" if self.name(node.table) in self.wanted else None

    def _on_rule_stmt(self, node: Any) -> Part | None:
        return "after" if self.name(node.relation) in self.wanted else None

    def _on_create_stats_stmt(self, node: Any) -> Part | None:
        return (
            "after" if any(self.name(r.range_var) in self.wanted for r in node.relations) else None
        )

    def _on_grant_stmt(self, node: Any) -> Part | None:
        if node.targtype != pb.ACL_TARGET_OBJECT:
            return None
        if node.objtype in (pb.OBJECT_TABLE, pb.OBJECT_SEQUENCE, pb.OBJECT_COLUMN):
            names = [self.name(o.range_var) for o in node.objects]
            return (
                "after"
                if names and all(n in self.wanted or n in self.sequences for n in names)
                else None
            )
        if node.objtype == pb.OBJECT_SCHEMA:
            return "after" if all(o.string.sval in self.schemas for o in node.objects) else None
        if node.objtype in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN):
            return (
                "after"
                if all(self._type(self.name_of(o.list.items)) in self.types for o in node.objects)
                else None
            )
        return None

    def _on_comment_stmt(self, node: Any) -> Part | None:
        items = list(node.object.list.items)
        kind = node.objtype
        if kind in (pb.OBJECT_TABLE, pb.OBJECT_SEQUENCE):
            name = self.name_of(items)
            return "after" if name in self.wanted or name in self.sequences else None
        if kind in (
            pb.OBJECT_COLUMN,
            pb.OBJECT_TABCONSTRAINT,
            pb.OBJECT_TRIGGER,
            pb.OBJECT_POLICY,
            pb.OBJECT_RULE,
        ):
            return "after" if len(items) > 1 and self.name_of(items[:-1]) in self.wanted else None
        if kind == pb.OBJECT_SCHEMA:
            return "after" if node.object.string.sval in self.schemas else None
        if kind == pb.OBJECT_INDEX:
            return "after" if tuple(self.name_of(items)) in self.indexes else None
        if kind in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN):
            return (
                "after"
                if self._type(self.name_of(node.object.type_name.names)) in self.types
                else None
            )
        return None

    def _on_view_stmt(self, node: Any) -> Part | None:
        used = {self.name(r) for r in postgast.find_nodes(node.query, pb.RangeVar)}
        if used & self.wanted:
            self.views.append(str(self.name(node.view)))
        return None

    @staticmethod
    def _type(name: TableName) -> str:
        return type_text(name)


def undeclarable(
    child: Table, columns: Sequence[str], parent: Table | None, parent_columns: Sequence[str]
) -> str | None:
    """Why a foreign key cannot be declared to a table as it is now, or None where it can.

    Args:
        columns: the child's.
        parent_columns: the parent's; empty for its primary key.
    """
    if parent is None:
        return "that table is gone"
    referred = list(parent_columns) or list(
        parent.primary_key.columns if parent.primary_key else ()
    )
    for name, other in zip(columns, referred, strict=False):
        ours, theirs = child.column(name), parent.column(other)
        if theirs is None:
            return f"that table has no column {other} any more"
        if ours and not comparable(ours.type, theirs.type):
            return f"column {other} of that table is {theirs.type} now"
    if len(referred) != len(columns) or not any(
        set(k.columns) == set(referred) for k in parent.keys
    ):
        return f"{', '.join(referred) or 'nothing'} is no unique key of that table any more"
    return None


def comparable(one: str, other: str) -> bool:
    """Whether values of two types can be compared without a cast that somebody has to write."""
    kinds = [
        next((n for n, some in enumerate(_KINDS) if base_type(t) in some), base_type(t))
        for t in (one, other)
    ]
    return kinds[0] == kinds[1]


def _expression(text: str | None) -> Any:
    """An expression as a parse tree; of nothing, or of one that is none, an empty one."""
    try:
        return postgast.parse(f"SELECT {text}" if text else "")
    except postgast.PgQueryError:
        return postgast.parse("")


def _without_defaults(node: Any, columns: set[str]) -> str:
    """CREATE TABLE without the defaults of some columns."""
    tree = pb.ParseResult(version=180000)
    other = tree.stmts.add().stmt.create_stmt
    other.CopyFrom(node)
    for definition in (e.column_def for e in other.table_elts if e.HasField("column_def")):
        if definition.colname in columns:
            for n in reversed(range(len(definition.constraints))):
                if definition.constraints[n].constraint.contype == pb.CONSTR_DEFAULT:
                    del definition.constraints[n]
    return str(postgast.deparse(tree))


def _roles(node: Any) -> tuple[str, ...]:
    """The roles that a statement names: an owner, grantees, those of a policy."""
    if not isinstance(
        node, pb.GrantStmt | pb.AlterTableStmt | pb.AlterOwnerStmt | pb.CreatePolicyStmt
    ):
        return ()
    return tuple(sorted(set(re.findall(r'rolename: "((?:[^"\\]|\\.)*)"', str(node)))))


def type_text(name: TableName) -> str:
    """A name as `format_type` and `regclass` print it: quoted where it has to be."""
    return ".".join(map(identifier, name))


def base_type(text: str) -> str:
    """Return a type's name as `format_type` prints it, without modifier and array brackets."""
    return _TYPE_MODIFIER.sub("", text)


def own_types(catalog: Catalog) -> set[str]:
    """The enums, domains, composite, range and multirange types of a catalogue."""
    return {*catalog.enums, *catalog.domains, *catalog.composites, *catalog.ranges}


def _made_of(catalog: Catalog, name: str) -> list[str]:
    """The types that a type is made of; a multirange of its range."""
    if name in catalog.multiranges:
        return [catalog.multiranges[name]]
    parts = [text for some in (catalog.domains, catalog.ranges) if (text := some.get(name))]
    return [base_type(p) for p in (*parts, *catalog.composites.get(name, ()))]


def types_used(catalog: Catalog, columns: Iterable[Column]) -> set[str]:
    """The catalogue's own types that columns need: theirs, and those that these are made of."""
    known = own_types(catalog)
    todo = [base_type(c.type) for c in columns]
    needed: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in known or name in needed:
            continue
        needed.add(name)
        todo += _made_of(catalog, name)
    return needed


def name_of_type(text: str) -> TableName:
    """The name that `type_text` printed."""
    words = re.findall(r'"(?:[^"]|"")*"|[^.]+', text)
    schema, name = (
        w[1:-1].replace('""', '"') if w.startswith('"') else w
        for w in (words[0] if len(words) > 1 else "public", words[-1])
    )
    return TableName(schema, name)


def _schemas_needed(live: Catalog, names: Iterable[TableName]) -> tuple[str, ...]:
    """The schemas of names in which live, as far as its tables and sequences tell, has nothing."""
    there = {n.schema for n in live.tables} | {s.name.schema for s in live.sequences}
    return tuple(sorted({n.schema for n in names} - there))


def in_order_of_use(backup: Catalog, types: set[str]) -> list[str]:
    """Types, each after those that it is made of; multiranges come and go with their ranges."""
    done: list[str] = []

    def place(name: str) -> None:
        for part in _made_of(backup, name):
            if part in types and part != name:
                place(part)
        if name not in done:
            done.append(name)

    for name in sorted(types):
        place(name)
    return [n for n in done if n not in backup.multiranges]


def _sequences_needed(backup: Catalog, live: Catalog, wanted: set[TableName]) -> set[TableName]:
    """Sequences that the tables own or draw from, and that live does not have; those of identity columns come by themselves."""
    there = {s.name for s in live.sequences}
    defaults = " ".join(c.default or "" for name in wanted for c in backup.tables[name].columns)
    needed = set()
    for sequence in backup.sequences:
        if sequence.owner and sequence.owner[0] in wanted:
            column = backup.tables[sequence.owner[0]].column(sequence.owner[1])
            if column is None or not column.identity:
                needed.add(sequence.name)
        elif f"'{type_text(sequence.name)}'" in defaults:
            needed.add(sequence.name)
    return needed - there


# --- without the backup's statements ----------------------------------------------------------------


_LACKS = (
    "No statements of the backup define the dropped tables: plain indexes, checks, comments and grants are not known here. Where it "
    "holds rows only, columns of tables that live has not are text, without keys; make those tables yourself before you insert."
)


def _from_catalog(
    backup: Catalog, live: Catalog, tables: Sequence[TableName], types: set[str]
) -> Definitions:
    wanted = set(tables)
    sequences = _sequences_needed(backup, live, wanted)
    ordered = in_order_of_use(
        backup, types | {backup.multiranges[t] for t in types if t in backup.multiranges}
    )
    out = [Definition(_create_type(backup, t), "before") for t in ordered]
    out += [Definition(f"CREATE SEQUENCE {s.sql}", "before") for s in sorted(sequences)]
    out += [Definition(_create_table(backup.tables[t]), "before") for t in tables]
    for sequence in backup.sequences:
        if sequence.name in sequences and sequence.owner:
            owner, column = sequence.owner
            out.append(
                Definition(
                    f"ALTER SEQUENCE {sequence.name.sql} OWNED BY {owner.sql}.{quote_identifier(column)}",
                    "before",
                )
            )
    for name in tables:
        for key in backup.tables[name].keys:
            kind = (
                "PRIMARY KEY"
                if key.primary
                else "UNIQUE" + ("" if key.nulls_distinct else " NULLS NOT DISTINCT")
            )
            out.append(
                Definition(
                    f"ALTER TABLE {name.sql} ADD CONSTRAINT {quote_identifier(key.name)} {kind} ({_listed(key.columns)})",
                    "after",
                )
            )
    for name in tables:
        for foreign in backup.tables[name].foreign_keys:
            if foreign.parent in wanted or not undeclarable(
                backup.tables[name],
                foreign.columns,
                live.tables.get(foreign.parent),
                foreign.parent_columns,
            ):
                out.append(Definition(add_foreign_key(name, foreign), "after"))
    names = tuple(("DOMAIN" if t in backup.domains else "TYPE", t) for t in ordered)
    schemas = _schemas_needed(live, {*wanted, *sequences, *map(name_of_type, types)})
    return Definitions(
        tuple(out), names, tuple(sorted(s.sql for s in sequences)), schemas, lacks=(_LACKS,)
    )


def _create_type(backup: Catalog, name: str) -> str:
    if name in backup.enums:
        labels = ", ".join("'" + v.replace("'", "''") + "'" for v in backup.enums[name])
        return f"CREATE TYPE {name} AS ENUM ({labels})"
    if name in backup.domains:
        return f"CREATE DOMAIN {name} AS {backup.domains[name]}"
    if name in backup.ranges:
        many = next(
            (
                f", multirange_type_name = {m}"
                for m, of in sorted(backup.multiranges.items())
                if of == name
            ),
            "",
        )
        return f"CREATE TYPE {name} AS RANGE (subtype = {backup.ranges[name]}{many})"
    return f"CREATE TYPE {name} AS ({', '.join(f'a{n} {t}' for n, t in enumerate(backup.composites[name], 1))})"


def _create_table(table: Table) -> str:
    columns = []
    for column in table.columns:
        words = [quote_identifier(column.name), column.type]
        if column.generated:
            words.append(f"GENERATED ALWAYS AS ({column.generated}) STORED")
        elif column.identity:
            words.append(f"GENERATED {column.identity.upper()} AS IDENTITY")
        elif column.default is not None:
            words.append(f"DEFAULT {column.default}")
        if not column.nullable:
            words.append("NOT NULL")
        columns.append(" ".join(words))
    return f"CREATE TABLE {table.name.sql} ({', '.join(columns)})"


def add_foreign_key(name: TableName, key: ForeignKey) -> str:
    """The statement that declares a foreign key, as far as the catalogue knows it."""
    return (
        f"ALTER TABLE {name.sql} ADD CONSTRAINT {quote_identifier(key.name)} FOREIGN KEY ({_listed(key.columns)}) "
        f"REFERENCES {key.parent.sql} ({_listed(key.parent_columns)}) ON DELETE {key.on_delete.upper()}"
    )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(quote_identifier, columns))
