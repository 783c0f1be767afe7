"""What the definitions of some tables name, and what that names itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.cause.replay import REACHING
from forensics.evidence.ddl import format_type
from forensics.model import Catalog, Column, TableName
from forensics.recovery.relations import base_type
from forensics.recovery.write.definitions.dump import Statement, type_made
from forensics.recovery.write.definitions.needs import (
    Needs,
    Sides,
    schemas_needed,
    sequences_needed,
)
from forensics.recovery.write.definitions.types import (
    name_of_type,
    own_types,
    type_text,
)

_OF_A_TABLE = (
    "create_stmt",
    "alter_table_stmt",
    "index_stmt",
    "create_trig_stmt",
)
_GOING_IN = (
    pb.FUNC_PARAM_IN,
    pb.FUNC_PARAM_INOUT,
    pb.FUNC_PARAM_VARIADIC,
    pb.FUNC_PARAM_DEFAULT,
)
# Where a parse tree names something.
_NAMING = (
    (pb.FuncCall, "funcname"),
    (pb.TypeName, "names"),
    (pb.IndexElem, "opclass"),
    (pb.CollateClause, "collname"),
)
# Names of nobody's making: PostgreSQL's own, and those that the search path leads to.
_NOBODY_S = ("", "pg_catalog", "information_schema")


@dataclass(frozen=True)
class _Function:
    name: TableName
    signature: str
    node: Any


@dataclass
class _Defined:
    """What a dump defines besides tables, by name.

    Attributes:
        types: by type, the parse tree of what makes it.
        named: what the definitions of the tables name.
    """

    functions: dict[TableName, list[_Function]] = field(default_factory=dict)
    types: dict[str, Any] = field(default_factory=dict)
    collations: set[TableName] = field(default_factory=set)
    named: set[TableName] = field(default_factory=set)

    def read(self, statement: Statement, tables: set[TableName]) -> None:
        """Take account of one statement."""
        made = type_made(statement)
        if statement.kind == "create_function_stmt":
            self._function(statement)
        elif makes_collation(statement):
            self.collations.add(statement.named(statement.node.defnames))
        elif made is not None:
            self.types[type_text(made)] = statement.node
        elif _belongs(statement, tables):
            self.named |= _names(statement.node)

    def _function(self, statement: Statement) -> None:
        name = statement.named(statement.node.funcname)
        function = _Function(name, signature(statement), statement.node)
        self.functions.setdefault(name, []).append(function)
        if statement.path:  # by which it is also found without its schema
            unqualified = TableName("", name.table)
            self.functions.setdefault(unqualified, []).append(function)


class _Closure:
    """Names and types, with all that those lead to.

    Attributes:
        named: every name that was met.
        types: types that have to be made.
        functions: the signatures of functions that are named.
        called: the names of these.
    """

    def __init__(self, defined: _Defined, backup: Catalog, there: set[str]) -> None:
        self._defined = defined
        self._multiranges = backup.multiranges
        self._there = there
        self._makeable = own_types(backup) - there
        self._names_left: list[TableName] = []
        self._types_left: list[str] = []
        self.named: set[TableName] = set()
        self.types: set[str] = set()
        self.functions: set[str] = set()
        self.called: set[TableName] = set()

    def follow(self, names: set[TableName], types: set[str]) -> None:
        """Take names and types in, and all that they lead to."""
        self.types |= types
        self._types_left += types
        self._meet(names)
        while self._types_left or self._names_left:
            if self._types_left:
                self._follow_type(self._types_left.pop())
            else:
                self._follow_name(self._names_left.pop())

    def _meet(self, names: set[TableName]) -> None:
        self._names_left += names - self.named
        self.named |= names
        found = {type_text(n) for n in names}
        self._types_left += found & (self._makeable - self.types)

    def _follow_type(self, name: str) -> None:
        # A multirange stands in the statement of its range.
        of_range = self._multiranges.get(name, name)
        self.types |= {name, of_range} - self._there
        if of_range in self._defined.types:
            self._meet(_names(self._defined.types[of_range]))

    def _follow_name(self, name: TableName) -> None:
        for function in self._defined.functions.get(name, ()):
            if function.signature not in self.functions:
                self.functions.add(function.signature)
                self.called.add(function.name)
                self._meet(_names(function.node))


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes:
        tables: tables that return.
        columns: columns of other tables.
        types: the types of the backup's own that all of these are of.
        there: types that need not be made.
    """

    tables: set[TableName]
    columns: Sequence[Column]
    types: set[str]
    there: set[str]


def survey(dump: Iterable[Statement], sides: Sides, wanted: Wanted) -> Needs:
    """Find the functions, types and extensions that definitions name, and what those name."""
    defined = _Defined()
    for statement in dump:
        defined.read(statement, wanted.tables)
    named = defined.named
    for column in wanted.columns:
        named |= _named_by(column)
    closure = _Closure(defined, sides.backup, wanted.there)
    closure.follow(named, wanted.types - wanted.there)
    sequences = sequences_needed(sides, wanted.tables)
    collations = closure.named & defined.collations
    placed = {*wanted.tables, *sequences, *collations, *closure.called}
    placed.update(map(name_of_type, closure.types))
    known = {*defined.functions, *defined.collations, *_relations(sides.backup)}
    return Needs(
        frozenset(wanted.tables),
        frozenset(closure.types),
        sequences,
        schemas_needed(sides.live, placed),
        frozenset(collations),
        frozenset(closure.functions),
        _extensions_needed(sides, closure.named - known),
    )


def signature(statement: Statement) -> str:
    """A function as `to_regprocedure` takes it: its name, and the types of what goes into it."""
    types: list[str] = []
    for parameter in statement.node.parameters:
        if parameter.function_parameter.mode in _GOING_IN:
            types.append(format_type(parameter.function_parameter.arg_type))
    return f"{statement.named(statement.node.funcname).sql}({', '.join(types)})"


def makes_collation(statement: Statement) -> bool:
    """Whether a statement makes a collation."""
    return statement.kind == "define_stmt" and statement.node.kind == pb.OBJECT_COLLATION


def _belongs(statement: Statement, tables: set[TableName]) -> bool:
    """Whether a statement defines one of the tables."""
    if statement.kind in _OF_A_TABLE:
        return statement.name(statement.node.relation) in tables
    if statement.kind == "create_policy_stmt":
        return statement.name(statement.node.table) in tables
    return False


def _names(node: Any) -> set[TableName]:
    """What a definition names: functions, types, classes of operators, collations.

    What has no schema is either PostgreSQL's own, or of the dump's search path and then among
    what the dump defines.
    """
    found: list[Any] = []
    for kind, attribute in _NAMING:
        for part in postgast.find_nodes(node, kind):
            found.append(getattr(part, attribute))
    if isinstance(node, pb.CreateTrigStmt):
        found.append(node.funcname)
    names: set[TableName] = set()
    for words in found:
        if len(words) > 1:
            names.add(TableName(words[-2].string.sval, words[-1].string.sval))
        elif words:
            names.add(TableName("", words[0].string.sval))
    return names


def _named_by(column: Column) -> set[TableName]:
    """What the type and the default of a column name."""
    names = _names(_expression(column.default))
    kind = base_type(column.type)
    if "." in kind:
        names.add(name_of_type(kind))
    return names


def _expression(text: str | None) -> Any:
    """An expression as a parse tree; of nothing, or of one that is none, an empty one."""
    try:
        return postgast.parse(f"SELECT {text}" if text else "")
    except postgast.PgQueryError:
        return postgast.parse("")


def _relations(backup: Catalog) -> set[TableName]:
    return {*backup.tables, *(s.name for s in backup.sequences)}


def _extensions_needed(sides: Sides, unknown: Iterable[TableName]) -> tuple[str, ...]:
    """Extensions that may bring what is named and not defined: which brings what, no dump says."""
    own = own_types(sides.backup)
    for name in unknown:
        if name.schema not in _NOBODY_S and type_text(name) not in own:
            lacking = {*sides.backup.extensions} - {*sides.live.extensions}
            return tuple(sorted(lacking - REACHING - {"plpgsql"}))
    return ()
