"""A dump's DDL, read into a Catalog with PostgreSQL's own parser. Nothing is executed.

Only statements that say something about tables, keys, types, extensions and sequences are parsed; functions, views,
grants and the like are passed over. Types come out as `format_type` prints them with an empty search path, and
expressions are deparsed, so that both can be held against what a live catalogue says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.model import (
    Catalog,
    Column,
    ForeignKey,
    Key,
    Sequence,
    Table,
    TableKind,
    TableName,
    quote_identifier,
)

_OF_INTEREST = re.compile(
    r"(?:\s|--[^\n]*\n)*(?:CREATE\s+(?:UNLOGGED\s+|FOREIGN\s+|MATERIALIZED\s+|UNIQUE\s+)?"
    r"(?:TABLE|VIEW|INDEX|TYPE|DOMAIN|EXTENSION|SEQUENCE)\b|ALTER\s+(?:TABLE|SEQUENCE|FOREIGN\s+TABLE)\b"
    r"|SET\s+search_path\b|SELECT\s+pg_catalog\.(?:setval|set_config)|SELECT\s+setval|COMMENT\s+ON\s+TABLE\b)",
    re.I,
)

# The grammar's names of built-in types, and how format_type prints them (typmods go where the braces stand).
_BUILT_IN = {
    "bool": "boolean",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "numeric": "numeric{}",
    "bpchar": "character{}",
    "varchar": "character varying{}",
    "bit": "bit{}",
    "varbit": "bit varying{}",
    "time": "time{} without time zone",
    "timetz": "time{} with time zone",
    "timestamp": "timestamp{} without time zone",
    "timestamptz": "timestamp{} with time zone",
}
_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_INTERVAL_FIELDS = {
    4: "year",
    2: "month",
    8: "day",
    1024: "hour",
    2048: "minute",
    4096: "second",
    6: "year to month",
    1032: "day to hour",
    3080: "day to minute",
    7176: "day to second",
    3072: "hour to minute",
    7168: "hour to second",
    6144: "minute to second",
}
_FULL_INTERVAL = 0x7FFF
_SAFE = re.compile(r"[a-z_][a-z0-9_]*\Z")
_FREE_WORDS = (0, pb.UNRESERVED_KEYWORD)  # no keyword at all, or one that is a name everywhere
_QUALIFIED = re.compile(r'("(?:[^"]|"")+"|[^".\s(]+)\.("(?:[^"]|"")+"|[^".\s(\[]+)')


def _name_of(nodes: Iterable[Any]) -> tuple[str, ...]:
    return tuple(n.string.sval for n in nodes)


@lru_cache(maxsize=65536)
def identifier(name: str) -> str:
    """Return a name as PostgreSQL itself prints it: quoted where it is no plain word, or a keyword (`"order"`)."""
    free = _SAFE.match(name) and postgast.scan(name).tokens[0].keyword_kind in _FREE_WORDS
    return name if free else quote_identifier(name)


def normal_type(text: str) -> str:
    """Return a type that `format_type` printed with the names quoted that `identifier` quotes: servers differ in their keywords."""

    def again(part: str) -> str:
        return identifier(part[1:-1].replace('""', '"') if part.startswith('"') else part)

    match = _QUALIFIED.match(text)
    return f"{again(match[1])}.{again(match[2])}{text[match.end() :]}" if match else text


def _integer(node: Any) -> int:
    return int(node.a_const.ival.ival)


def format_type(type_name: Any) -> str:
    """Return a parsed TypeName as PostgreSQL's `format_type` prints it with an empty search path."""
    names = _name_of(type_name.names)
    mods = list(type_name.typmods)
    if len(names) == 2 and names[0] == "pg_catalog":
        names = names[1:]
    base = names[-1]
    if len(names) == 2:
        text = f"{identifier(names[0])}.{identifier(base)}" + _modifier(mods)
    elif base == "interval":
        text = _interval(mods)
    elif base == "bpchar" and not mods:
        text = "bpchar"
    elif base in _BUILT_IN:
        text = (
            _BUILT_IN[base].format(_modifier(mods)) if "{}" in _BUILT_IN[base] else _BUILT_IN[base]
        )
    else:
        # A built-in type, or one that the dump's search path finds; only "char" needs its quotes, though json is a keyword now.
        text = (
            base if _SAFE.match(base) and base != "char" else quote_identifier(base)
        ) + _modifier(mods)
    return text + "[]" if type_name.array_bounds else text


def _modifier(mods: list[Any]) -> str:
    if not mods:
        return ""
    parts = [postgast.deparse(_as_select(m)).removeprefix("SELECT ") for m in mods]
    return f"({','.join(parts)})"


def _interval(mods: list[Any]) -> str:
    if not mods:
        return "interval"
    mask = _integer(mods[0])
    text = (
        "interval"
        if mask == _FULL_INTERVAL
        else f"interval {_INTERVAL_FIELDS.get(mask, '')}".rstrip()
    )
    return f"{text}({_integer(mods[1])})" if len(mods) > 1 else text


def _as_select(expression: Any) -> Any:
    tree = pb.ParseResult(version=180000)
    target = tree.stmts.add().stmt.select_stmt.target_list.add().res_target
    target.val.CopyFrom(expression)
    return tree


def expression_text(expression: Any) -> str:
    """Return a parsed expression as text, in the deparser's one spelling."""
    return str(postgast.deparse(_as_select(expression))).removeprefix("SELECT ")


def normal_expression(text: str | None) -> str | None:
    """Return an expression's text in the spelling of `expression_text`, or as it is where it does not parse."""
    if text is None:
        return None
    try:
        tree = postgast.parse(f"SELECT {text}")
        return expression_text(tree.stmts[0].stmt.select_stmt.target_list[0].res_target.val)
    except (postgast.PgQueryError, IndexError):
        return text


@dataclass
class _Draft:
    """A Catalog in the making."""

    tables: dict[TableName, Table] = field(default_factory=dict)
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    domains: dict[str, str] = field(default_factory=dict)
    composites: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: dict[str, str] = field(default_factory=dict)
    multiranges: dict[str, str] = field(default_factory=dict)
    extensions: list[str] = field(default_factory=list)
    attributes: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    sequences: dict[TableName, Sequence] = field(default_factory=dict)
    unparsed: list[str] = field(default_factory=list)
    search_path: str = "public"

    def name(self, relation: Any) -> TableName:
        return TableName(relation.schemaname or self.search_path, relation.relname)

    def edit(self, name: TableName, change: Callable[[Table], Table]) -> None:
        if name in self.tables:
            self.tables[name] = change(self.tables[name])

    def edit_column(self, name: TableName, column: str, **values: Any) -> None:
        self.edit(
            name,
            lambda t: replace(
                t, columns=tuple(replace(c, **values) if c.name == column else c for c in t.columns)
            ),
        )


def read_catalog(statements: Iterable[str]) -> Catalog:
    """Read DDL into a Catalog.

    Args:
        statements: SQL texts of one or more statements each, in the dump's order.

    Returns:
        The catalogue. A text that the parser refuses is kept, whole, in `unparsed`.
    """
    draft = _Draft()
    for text in statements:
        if not _OF_INTEREST.match(text):
            continue
        try:
            tree = postgast.parse(text)
        except postgast.PgQueryError:
            draft.unparsed.append(text)
            continue
        for raw in tree.stmts:
            kind = raw.stmt.WhichOneof("node")
            if handler := _HANDLERS.get(kind):
                handler(draft, getattr(raw.stmt, kind))
    for name, table in draft.tables.items():
        if table.parent and table.parent not in draft.tables:
            # `pg_dump --table=PARTITION`: what it is a partition of is not there, so it stands for itself.
            draft.tables[name] = replace(
                table, kind="partitioned" if table.kind == "partitioned" else "table", parent=None
            )
    return Catalog(
        tables=dict(sorted(draft.tables.items())),
        enums=draft.enums,
        domains=draft.domains,
        composites=draft.composites,
        ranges=draft.ranges,
        multiranges=draft.multiranges,
        extensions=tuple(draft.extensions),
        sequences=tuple(draft.sequences.values()),
        unparsed=tuple(draft.unparsed),
    )


# --- one function a kind of statement ------------------------------------------------------------


def _create_table(draft: _Draft, statement: Any, kind: TableKind = "table") -> None:
    name = draft.name(statement.relation)
    inherited = tuple(draft.name(n.range_var) for n in statement.inh_relations)
    partition = statement.HasField("partbound")
    if statement.HasField("partspec"):
        kind = "partitioned"
    elif partition:
        kind = "partition"
    columns: list[Column] = []
    if partition and inherited and inherited[0] in draft.tables:
        columns = list(draft.tables[inherited[0]].columns)
    table = Table(
        name,
        kind,
        parent=inherited[0] if partition and inherited else None,
        inherits=() if partition else inherited,
        persistence="unlogged" if statement.relation.relpersistence == "u" else "permanent",
    )
    constraints: list[tuple[Any, str | None]] = []
    if statement.HasField("of_typename"):
        columns = list(draft.attributes.get(format_type(statement.of_typename), ()))
    for element in statement.table_elts:
        if element.HasField("column_def"):
            definition = element.column_def
            if definition.HasField("type_name"):
                columns.append(_column(definition))
            else:
                # "a WITH OPTIONS …": the column comes from the type, what is said of it from here.
                columns = [
                    _column(definition, c) if c.name == definition.colname else c for c in columns
                ]
            constraints += [(c.constraint, definition.colname) for c in definition.constraints]
        elif element.HasField("constraint"):
            constraints.append((element.constraint, None))
    if not partition:
        # A child's own text may leave out what it inherits, or say it again; what is inherited comes first, in the parents' order.
        own = {c.name: c for c in columns}
        above: dict[str, Column] = {}
        for parent in (draft.tables[p] for p in inherited if p in draft.tables):
            for held in parent.columns:
                above.setdefault(
                    held.name, replace(held, identity="")
                )  # who inherits numbers nothing
        columns = [_merged(c, own.pop(c.name, c)) for c in above.values()] + [*own.values()]
    draft.tables[name] = replace(table, columns=tuple(columns))
    for constraint, column in constraints:
        _add_constraint(draft, name, constraint, column)


def _merged(above: Column, own: Column) -> Column:
    """A column that a child both inherits and defines."""
    return replace(
        own,
        nullable=own.nullable and above.nullable,
        default=above.default if own.default is None else own.default,
    )


def _column(definition: Any, of_type: Column | None = None) -> Column:
    column = of_type or Column(definition.colname, format_type(definition.type_name))
    for node in definition.constraints:
        constraint = node.constraint
        if constraint.contype in (pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY):
            column = replace(column, nullable=False)
        elif constraint.contype == pb.CONSTR_DEFAULT:
            column = replace(column, default=expression_text(constraint.raw_expr))
        elif constraint.contype == pb.CONSTR_GENERATED:
            column = replace(column, generated=expression_text(constraint.raw_expr))
        elif constraint.contype == pb.CONSTR_IDENTITY:
            column = replace(column, nullable=False, identity=_identity(constraint))
    return column


def _identity(constraint: Any) -> str:
    return "always" if constraint.generated_when == "a" else "by default"


def _add_constraint(
    draft: _Draft, name: TableName, constraint: Any, column: str | None = None
) -> None:
    kind = constraint.contype
    if kind in (pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE):
        columns = (column,) if column else _name_of(constraint.keys)
        if kind == pb.CONSTR_PRIMARY:
            for key_column in columns:
                draft.edit_column(name, key_column, nullable=False)
        if constraint.deferrable:
            return
        key = Key(
            constraint.conname,
            columns,
            primary=kind == pb.CONSTR_PRIMARY,
            nulls_distinct=not constraint.nulls_not_distinct,
        )
        draft.edit(name, lambda t: replace(t, keys=(*t.keys, key)))
    elif kind == pb.CONSTR_FOREIGN:
        foreign = ForeignKey(
            constraint.conname,
            (column,) if column else _name_of(constraint.fk_attrs),
            draft.name(constraint.pktable),
            _name_of(constraint.pk_attrs),
            _ACTIONS.get(constraint.fk_del_action, "no action"),
        )
        draft.edit(name, lambda t: replace(t, foreign_keys=(*t.foreign_keys, foreign)))
    elif kind == pb.CONSTR_NOTNULL and not column:
        for key_column in _name_of(constraint.keys):
            draft.edit_column(name, key_column, nullable=False)


def _alter_table(draft: _Draft, statement: Any) -> None:
    if statement.objtype == pb.OBJECT_SEQUENCE:
        return
    name = draft.name(statement.relation)
    for node in statement.cmds:
        command = node.alter_table_cmd
        if command.subtype == pb.AT_AddConstraint:
            _add_constraint(draft, name, getattr(command, "def").constraint)
        elif command.subtype == pb.AT_ColumnDefault:
            definition = getattr(command, "def")
            text = expression_text(definition) if definition.WhichOneof("node") else None
            draft.edit_column(name, command.name, default=text)
        elif command.subtype == pb.AT_AddIdentity:
            identity = _identity(getattr(command, "def").constraint)
            draft.edit_column(name, command.name, identity=identity, nullable=False)
        elif command.subtype in (pb.AT_SetNotNull, pb.AT_DropNotNull):
            draft.edit_column(name, command.name, nullable=command.subtype == pb.AT_DropNotNull)
        elif command.subtype == pb.AT_AttachPartition:
            child = draft.name(getattr(command, "def").partition_cmd.name)
            kind: TableKind = (
                "partitioned"
                if draft.tables.get(child, Table(child)).kind == "partitioned"
                else "partition"
            )
            draft.edit(child, lambda t, k=kind: replace(t, parent=name, kind=k))  # type: ignore[misc]
        elif command.subtype == pb.AT_EnableRowSecurity:
            draft.edit(name, lambda t: replace(t, row_security=True))
        elif command.subtype == pb.AT_AddInherit:
            parent = draft.name(getattr(command, "def").range_var)
            draft.edit(name, lambda t, p=parent: replace(t, inherits=(*t.inherits, p)))  # type: ignore[misc]


def _create_index(draft: _Draft, statement: Any) -> None:
    elements = [p.index_elem for p in statement.index_params]
    if (
        not statement.unique
        or statement.HasField("where_clause")
        or not all(e.name for e in elements)
    ):
        return
    key = Key(
        statement.idxname,
        tuple(e.name for e in elements),
        nulls_distinct=not statement.nulls_not_distinct,
    )
    draft.edit(draft.name(statement.relation), lambda t: replace(t, keys=(*t.keys, key)))


def _type_name(draft: _Draft, names: tuple[str, ...]) -> str:
    schema = names[0] if len(names) == 2 else draft.search_path
    return f"{identifier(schema)}.{identifier(names[-1])}"


def _create_enum(draft: _Draft, statement: Any) -> None:
    draft.enums[_type_name(draft, _name_of(statement.type_name))] = _name_of(statement.vals)


def _create_domain(draft: _Draft, statement: Any) -> None:
    draft.domains[_type_name(draft, _name_of(statement.domainname))] = format_type(
        statement.type_name
    )


def _create_composite(draft: _Draft, statement: Any) -> None:
    name = draft.name(statement.typevar)
    columns = tuple(
        Column(n.column_def.colname, format_type(n.column_def.type_name))
        for n in statement.coldeflist
    )
    draft.attributes[_type_name(draft, tuple(name))] = columns
    draft.composites[_type_name(draft, tuple(name))] = tuple(c.type for c in columns)


def _create_range(draft: _Draft, statement: Any) -> None:
    names, bounds = [_name_of(statement.type_name)], ""
    for parameter in (n.def_elem for n in statement.params):
        if parameter.defname == "subtype":
            bounds = format_type(parameter.arg.type_name)
        elif parameter.defname == "multirange_type_name":
            names.append(_name_of(parameter.arg.type_name.names))
    name, *multirange = [_type_name(draft, n) for n in names]
    draft.ranges.update(dict.fromkeys([name, *multirange], bounds))
    draft.multiranges.update(dict.fromkeys(multirange, name))


def _create_extension(draft: _Draft, statement: Any) -> None:
    draft.extensions.append(statement.extname)


def _create_table_as(draft: _Draft, statement: Any) -> None:
    if statement.objtype == pb.OBJECT_MATVIEW:
        name = draft.name(statement.into.rel)
        draft.tables[name] = Table(name, "materialized view")


def _create_sequence(draft: _Draft, statement: Any) -> None:
    name = draft.name(statement.sequence)
    draft.sequences.setdefault(name, Sequence(name))
    _alter_sequence(draft, statement)


def _alter_sequence(draft: _Draft, statement: Any) -> None:
    name = draft.name(statement.sequence)
    for node in statement.options:
        if node.def_elem.defname == "owned_by":
            path = _name_of(node.def_elem.arg.list.items)
            if len(path) >= 2:
                table = TableName(path[-3] if len(path) > 2 else draft.search_path, path[-2])
                known = draft.sequences.get(name, Sequence(name))
                draft.sequences[name] = replace(known, owner=(table, path[-1]))


def _set(draft: _Draft, statement: Any) -> None:
    if statement.name == "search_path" and statement.args:
        # Dumps of before 2018 set the path and write names without a schema.
        draft.search_path = statement.args[0].a_const.sval.sval or draft.search_path


def _select(draft: _Draft, statement: Any) -> None:
    for target in statement.target_list:
        call = target.res_target.val.func_call
        if _name_of(call.funcname)[-1:] != ("setval",) or len(call.args) < 2:
            continue
        path = split_qualified(call.args[0].a_const.sval.sval)
        name = TableName(path[-2] if len(path) > 1 else draft.search_path, path[-1])
        number = call.args[1].a_const
        value = int(number.fval.fval) if number.HasField("fval") else int(number.ival.ival)
        called = call.args[2].a_const.boolval.boolval if len(call.args) > 2 else True
        known = draft.sequences.get(name, Sequence(name))
        draft.sequences[name] = replace(known, last_value=value, is_called=called)


def split_qualified(text: str) -> list[str]:
    """Return the parts of a qualified name as SQL writes it, their quotes taken off."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^.]+', text)
    return [p[1:-1].replace('""', '"') if p.startswith('"') else p for p in parts]


def _comment(draft: _Draft, statement: Any) -> None:
    if statement.objtype == pb.OBJECT_TABLE:
        path = _name_of(statement.object.list.items)
        name = TableName(path[0] if len(path) > 1 else draft.search_path, path[-1])
        draft.edit(name, lambda t: replace(t, comment=statement.comment))


_HANDLERS: dict[str | None, Callable[[_Draft, Any], None]] = {
    "create_stmt": _create_table,
    "create_foreign_table_stmt": lambda draft, s: _create_table(draft, s.base_stmt, "foreign"),
    "alter_table_stmt": _alter_table,
    "index_stmt": _create_index,
    "create_enum_stmt": _create_enum,
    "create_domain_stmt": _create_domain,
    "create_range_stmt": _create_range,
    "composite_type_stmt": _create_composite,
    "create_extension_stmt": _create_extension,
    "create_table_as_stmt": _create_table_as,
    "create_seq_stmt": _create_sequence,
    "alter_seq_stmt": _alter_sequence,
    "variable_set_stmt": _set,
    "select_stmt": _select,
    "comment_stmt": _comment,
}
