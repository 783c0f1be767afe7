"""What a dump says of some of its tables: the statements that make them, and what these need.

Tables, their sequences, defaults, constraints, indexes and comments, and the types, functions and
collations that their definitions name. Left out are owners, grants, triggers, rules and policies,
which are about a database and not about its rows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import postgast
from postgast import pg_query_pb2 as pb

from forensics.evidence import Source
from forensics.evidence.archive.source import ArchiveSource
from forensics.evidence.ddl import first_search_path
from forensics.evidence.names import folded_parts
from forensics.export.literals import standard
from forensics.model import TableName, quote_identifier

Section = Literal["pre-data", "data", "post-data"]

_OF_INTEREST = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:CREATE\s+(?!TRIGGER|CONSTRAINT|RULE|POLICY|EVENT|VIEW|ROLE)"
    r"|ALTER\s+(?:TABLE|SEQUENCE|INDEX)\b|COMMENT\s+ON\s+(?:TABLE|COLUMN)\b"
    r"|SET\s+(?:search_path|standard_conforming_strings)\b|SELECT\s)",
    re.I | re.S,
)
_SETS_STRINGS = re.compile(r"\s*SET\s+standard_conforming_strings\s*(?:=|TO)\s*'?(\w+)", re.I)
_SETVAL = re.compile(r"\bsetval\s*\(\s*'((?:[^']|'')+)'", re.I)
_NOBODY_S = ("", "pg_catalog", "information_schema", "pg_toast")
_ABOUT_PEOPLE = frozenset(
    {
        pb.AT_ChangeOwner,
        pb.AT_EnableRowSecurity,
        pb.AT_DisableRowSecurity,
        pb.AT_ForceRowSecurity,
        pb.AT_NoForceRowSecurity,
        pb.AT_EnableTrig,
        pb.AT_EnableAlwaysTrig,
        pb.AT_EnableReplicaTrig,
        pb.AT_DisableTrig,
        pb.AT_DisableTrigAll,
        pb.AT_DisableTrigUser,
        pb.AT_EnableTrigAll,
        pb.AT_EnableTrigUser,
        pb.AT_EnableRule,
        pb.AT_DisableRule,
    }
)
_AFTER_ROWS = frozenset({pb.AT_AddConstraint, pb.AT_ClusterOn, pb.AT_ReplicaIdentity})
_NAMING = (
    (pb.TypeName, "names"),
    (pb.FuncCall, "funcname"),
    (pb.CollateClause, "collname"),
    (pb.IndexElem, "opclass"),
)


class Piece(NamedTuple):
    """A statement that belongs to what is exported.

    Attributes:
        kind: what an archive calls it.
        name: of what it makes or is about.
        section: where it stands: before the rows, with them, or after them.
        sql: its text, with a semicolon.
        path: the statement that sets the search path it stands under, or "".
    """

    kind: str
    name: TableName
    section: Section
    sql: str
    path: str = ""


@dataclass(frozen=True)
class Definitions:
    """What some tables are made of.

    Attributes:
        pieces: in the dump's order, the schemas that they are in first.
        undefined: the tables that the dump does not define.
        left_out: foreign keys to tables that are not exported, in words.
    """

    pieces: tuple[Piece, ...]
    undefined: tuple[TableName, ...]
    left_out: tuple[str, ...]


@dataclass
class _Unit:
    """A statement, read.

    Attributes:
        about: the table that it makes or changes.
        makes: what else it makes: a type, a function, a sequence, a collation.
        with_names: names of which one has to be there for it to be of use, besides `about`.
        needs: what it names.
        parents: tables that it needs the definition of.
        refers: the table that a foreign key refers to.
    """

    sql: str
    path: str
    kind: str
    section: Section = "pre-data"
    about: TableName | None = None
    makes: TableName | None = None
    with_names: tuple[TableName, ...] = ()
    needs: frozenset[TableName] = frozenset()
    parents: tuple[TableName, ...] = ()
    refers: TableName | None = None
    label: str = ""

    @property
    def name(self) -> TableName:
        """What it is called in lists."""
        name = self.makes or self.about or TableName("", "")
        if self.with_names and not self.about:
            name = self.with_names[0]
        if self.label:
            return TableName(name.schema, self.label)
        return name


def definitions(source: Source, tables: Collection[TableName]) -> Definitions:
    """Find what a dump says of some tables.

    Args:
        source: the backup.
        tables: those whose rows are exported.
    """
    path = first_search_path(source.statements())
    reader = _Reader(f"SET search_path = {path};" if path else "")
    strings = not isinstance(source, ArchiveSource) or source.toc.standard_strings
    units = list(reader.units(source.statements(), strings))
    made = {unit.about for unit in units if unit.kind == "TABLE"}
    wanted = _with_parents(units, set(tables))
    chosen = _chosen(units, wanted)
    left_out = []
    for unit in units:
        if unit.refers and unit.about in wanted and unit.refers not in wanted:
            left_out.append(f"{unit.label or 'a foreign key'} of {unit.about} to {unit.refers}")
    pieces = [*_schemas(wanted, chosen), *_extensions(units, chosen)]
    for unit in chosen:
        pieces.append(Piece(unit.kind, unit.name, unit.section, unit.sql, unit.path))
    undefined = tuple(sorted(set(tables) - made))
    return Definitions(tuple(pieces), undefined, tuple(left_out))


def _with_parents(units: Iterable[_Unit], tables: set[TableName]) -> set[TableName]:
    """Tables, and those without whose definitions theirs cannot be."""
    above: dict[TableName, tuple[TableName, ...]] = {}
    for unit in units:
        if unit.kind == "TABLE" and unit.about:
            above[unit.about] = unit.parents
    found = set(tables)
    waiting = list(tables)
    while waiting:
        for parent in above.get(waiting.pop(), ()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _chosen(units: list[_Unit], tables: set[TableName]) -> list[_Unit]:
    """The statements about tables, and those that make what they name."""
    taken: dict[int, _Unit] = {}
    names = set(tables)
    more = True
    while more:
        more = False
        for number, unit in enumerate(units):
            if number in taken or not _belongs(unit, tables, names):
                continue
            taken[number] = unit
            names |= unit.needs
            if unit.makes:
                names.add(unit.makes)
            more = True
    return [taken[number] for number in sorted(taken)]


def _belongs(unit: _Unit, tables: set[TableName], names: set[TableName]) -> bool:
    if unit.kind in ("EXTENSION", "SET"):
        return False
    if unit.refers is not None and unit.refers not in tables:
        return False
    if not all(name in names for name in unit.with_names):
        return False
    if unit.about is not None:
        return unit.about in tables
    return unit.makes in names or (unit.makes is None and bool(unit.with_names))


def _schemas(tables: Iterable[TableName], units: Iterable[_Unit]) -> Iterator[Piece]:
    schemas = {name.schema for name in tables}
    schemas.update(unit.makes.schema for unit in units if unit.makes)
    for schema in sorted(schemas - {"public", "pg_catalog", ""}):
        sql = f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)};"
        yield Piece("SCHEMA", TableName("", schema), "pre-data", sql)


def _extensions(units: Iterable[_Unit], chosen: Iterable[_Unit]) -> Iterator[Piece]:
    """The extensions that may bring what is named and not defined: which brings what, none says."""
    known = set[TableName | None]()
    needed = set[TableName]()
    for unit in units:
        known.add(unit.makes)
    for unit in chosen:
        needed |= unit.needs
    if all(name in known or name.schema in _NOBODY_S for name in needed):
        return
    for unit in units:
        if unit.kind == "EXTENSION" and unit.label != "plpgsql":
            yield Piece("EXTENSION", TableName("", unit.label), "pre-data", unit.sql)


# --- one statement --------------------------------------------------------------------------------


class _Reader:
    """Reads statements under the search path that holds where each stands."""

    def __init__(self, path: str) -> None:
        self._path, self._schema = path, "public"
        self._indexes: dict[TableName, TableName] = {}

    def units(self, statements: Iterable[str], standard_strings: bool) -> Iterator[_Unit]:
        """Read statements; what is of no interest, or cannot be read, is passed over."""
        for text in statements:
            if not _OF_INTEREST.match(text):
                continue
            if setting := _SETS_STRINGS.match(text):
                standard_strings = setting[1].lower() == "on"
                continue
            if not standard_strings:
                text = standard(text.encode("utf-8")).decode("utf-8")
            try:
                tree = postgast.parse(text)
            except postgast.PgQueryError:
                continue
            if not tree.stmts:
                continue
            kind = tree.stmts[0].stmt.WhichOneof("node")
            unit = self._unit(kind, getattr(tree.stmts[0].stmt, kind), text)
            if unit is None:
                continue
            unit.sql = f"{text.strip().rstrip(';')};"
            unit.path = self._path
            needed = set(unit.needs)
            for raw in tree.stmts:
                needed |= self._named(getattr(raw.stmt, raw.stmt.WhichOneof("node")))
            unit.needs = frozenset(needed)
            yield unit

    def _unit(self, kind: str, node: Any, text: str) -> _Unit | None:
        read = getattr(self, f"_{kind}", None)
        if read is None:
            return None
        unit: _Unit | None = read(node, text)
        return unit

    def _name(self, node: Any) -> TableName:
        return TableName(node.schemaname or self._schema, node.relname)

    def _listed(self, words: Any) -> TableName:
        parts = [word.string.sval for word in words]
        if len(parts) > 1:
            return TableName(parts[-2], parts[-1])
        return TableName(self._schema, parts[-1] if parts else "")

    def _named(self, node: Any) -> set[TableName]:
        """The types, functions, collations and sequences that a statement names."""
        found = set()
        for kind, attribute in _NAMING:
            for part in postgast.find_nodes(node, kind):
                words = getattr(part, attribute)
                if words:
                    found.add(self._listed(words))
        for cast in postgast.find_nodes(node, pb.TypeCast):
            if cast.type_name.names and cast.type_name.names[-1].string.sval == "regclass":
                found.add(self._written(cast.arg.a_const.sval.sval))
        return found

    def _written(self, name: str) -> TableName:
        parts = folded_parts(name) or [""]
        if len(parts) > 1:
            return TableName(parts[-2], parts[-1])
        return TableName(self._schema, parts[-1])

    # What stands below is found by the name that the parser gives a kind of statement.

    def _variable_set_stmt(self, node: Any, text: str) -> None:
        if node.name == "search_path" and node.args:
            self._schema = node.args[0].a_const.sval.sval or "public"
            self._path = f"{text.strip().rstrip(';')};"

    def _select_stmt(self, node: Any, text: str) -> _Unit | None:
        if found := _SETVAL.search(text):
            name = self._written(found[1].replace("''", "'"))
            return _Unit("", "", "SEQUENCE SET", "data", with_names=(name,), label=name.table)
        return None

    def _create_stmt(self, node: Any, _: str) -> _Unit:
        parents = []
        for one in node.inh_relations:
            parents.append(self._name(one.range_var))
        kind = "TABLE"
        return _Unit("", "", kind, about=self._name(node.relation), parents=tuple(parents))

    def _create_seq_stmt(self, node: Any, _: str) -> _Unit:
        return _Unit("", "", "SEQUENCE", makes=self._name(node.sequence))

    def _alter_seq_stmt(self, node: Any, _: str) -> _Unit | None:
        sequence = self._name(node.sequence)
        for option in node.options:
            if option.def_elem.defname == "owned_by":
                words = [w.string.sval for w in option.def_elem.arg.list.items]
                owner = TableName(words[-3] if len(words) > 2 else self._schema, words[-2])
                # Whoever owns it has it made, and its value set.
                return _Unit(
                    *("", "", "SEQUENCE OWNED BY"),
                    about=owner,
                    needs=frozenset({sequence}),
                    label=sequence.table,
                )
        return None

    def _alter_table_stmt(self, node: Any, _: str) -> _Unit | None:
        name = self._name(node.relation)
        if node.objtype == pb.OBJECT_INDEX:
            return self._alter_index(node, name)
        if node.objtype != pb.OBJECT_TABLE:
            return None
        unit = _Unit("", "", "TABLE", about=name)
        kinds = set()
        for command in node.cmds:
            kinds.add(command.alter_table_cmd.subtype)
            self._alter(unit, command.alter_table_cmd)
        if kinds & _ABOUT_PEOPLE:
            return None
        if kinds & _AFTER_ROWS:
            unit.section = "post-data"
        if unit.kind == "TABLE":
            unit.kind = "TABLE CHANGE"
        return unit

    def _alter(self, unit: _Unit, command: Any) -> None:
        detail = getattr(command, "def")
        if command.subtype == pb.AT_AddConstraint:
            constraint = detail.constraint
            unit.label = constraint.conname
            unit.kind = "CONSTRAINT"
            if constraint.contype == pb.CONSTR_FOREIGN:
                unit.kind = "FK CONSTRAINT"
                unit.refers = self._name(constraint.pktable)
            if unit.about:
                self._indexes[TableName(unit.about.schema, constraint.conname)] = unit.about
        elif command.subtype == pb.AT_ColumnDefault:
            unit.kind, unit.label = "DEFAULT", command.name
        elif command.subtype == pb.AT_AddIdentity:
            unit.kind = "SEQUENCE"
            for option in detail.constraint.options:
                if option.def_elem.defname == "sequence_name":
                    made = self._listed(option.def_elem.arg.list.items)
                    unit.makes = made
                    unit.needs = frozenset({made})
        elif command.subtype == pb.AT_AttachPartition:
            unit.kind = "TABLE ATTACH"
            unit.with_names = (self._name(detail.partition_cmd.name),)

    def _alter_index(self, node: Any, name: TableName) -> _Unit | None:
        """One may take the index of a partition under that of the whole table."""
        unit = _Unit("", "", "INDEX ATTACH", "post-data", about=self._indexes.get(name))
        for command in node.cmds:
            if command.alter_table_cmd.subtype == pb.AT_AttachPartition:
                detail = getattr(command.alter_table_cmd, "def")
                part = self._indexes.get(self._name(detail.partition_cmd.name))
                if part is None:
                    return None
                unit.with_names = (part,)
        return unit if unit.about else None

    def _index_stmt(self, node: Any, _: str) -> _Unit:
        table = self._name(node.relation)
        self._indexes[TableName(table.schema, node.idxname)] = table
        return _Unit("", "", "INDEX", "post-data", about=table, label=node.idxname)

    def _create_stats_stmt(self, node: Any, _: str) -> _Unit | None:
        if len(node.relations) != 1:
            return None
        table = self._name(node.relations[0].range_var)
        return _Unit("", "", "STATISTICS", "post-data", about=table)

    def _comment_stmt(self, node: Any, _: str) -> _Unit | None:
        words = [word.string.sval for word in node.object.list.items]
        if node.objtype == pb.OBJECT_COLUMN:
            words.pop()
        elif node.objtype != pb.OBJECT_TABLE:
            return None
        table = TableName(words[-2] if len(words) > 1 else self._schema, words[-1])
        return _Unit("", "", "COMMENT", about=table, label=f"TABLE {table.table}")

    def _create_enum_stmt(self, node: Any, _: str) -> _Unit:
        return _Unit("", "", "TYPE", makes=self._listed(node.type_name))

    def _create_range_stmt(self, node: Any, _: str) -> _Unit:
        return _Unit("", "", "TYPE", makes=self._listed(node.type_name))

    def _composite_type_stmt(self, node: Any, _: str) -> _Unit:
        return _Unit("", "", "TYPE", makes=self._name(node.typevar))

    def _create_domain_stmt(self, node: Any, _: str) -> _Unit:
        return _Unit("", "", "DOMAIN", makes=self._listed(node.domainname))

    def _define_stmt(self, node: Any, _: str) -> _Unit:
        kind = "TYPE"
        if node.kind == pb.OBJECT_COLLATION:
            kind = "COLLATION"
        elif node.kind == pb.OBJECT_AGGREGATE:
            kind = "AGGREGATE"
        return _Unit("", "", kind, makes=self._listed(node.defnames))

    def _create_function_stmt(self, node: Any, _: str) -> _Unit:
        kind = "FUNCTION"
        if node.is_procedure:
            kind = "PROCEDURE"
        return _Unit("", "", kind, makes=self._listed(node.funcname))

    def _create_extension_stmt(self, node: Any, _: str) -> _Unit:
        return _Unit("", "", "EXTENSION", label=node.extname)
