"""What statements make or rename: each a claim to a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.preflight.forecast import Standing
from forensics.preflight.surroundings.names import (
    Holder,
    Name,
    Names,
    of_table,
    relation,
)
from forensics.statements.hazards import resolve
from forensics.statements.tree import words

_OF_INDEXES = (
    pb.CONSTR_PRIMARY,
    pb.CONSTR_UNIQUE,
    pb.CONSTR_EXCLUSION,
)


@dataclass(frozen=True)
class Claim:
    """A statement makes something of a name.

    Attributes:
        name: the name.
        holder: what it makes.
        table: the table that it is about.
        passes: whether the statement passes over it where the name is taken.
        replaces: the kinds that it takes the place of.
        typed: whether the name has to be free among the types too.
    """

    name: Name
    holder: Holder
    table: TableName | None = None
    passes: bool = False
    replaces: tuple[str, ...] = ()
    typed: bool = False


def claims(statement: Statement, standing: Standing, names: Names) -> list[Claim]:
    """The names that a statement claims."""
    read = _CLAIMS.get(statement.kind)
    return list(read(statement.node, standing, names)) if read else []


def found(node: Any, standing: Standing, names: Names) -> TableName:
    """The relation that a RangeVar means."""
    path = (standing.schema, *standing.path)
    return resolve(node.schemaname, node.relname, path, names.relations)


def spelled(parts: Sequence[str], standing: Standing) -> tuple[str, str]:
    """The schema and the name that a list of words makes for something new."""
    return (parts[-2] if len(parts) > 1 else standing.schema), parts[-1]


def _made(node: Any, standing: Standing, kind: str, typed: bool = True, **how: Any) -> Claim:
    name = standing.new_name(node)
    return Claim(relation(name), Holder(kind), name, typed=typed, **how)


def _table(node: Any, standing: Standing, names: Names, kind: str = "table") -> Iterator[Claim]:
    if node.relation.relpersistence == "t":
        return
    claim = _made(node.relation, standing, kind, passes=node.if_not_exists)
    yield claim
    name = claim.table
    assert name is not None
    if claim.passes and names.holder(claim.name):
        return
    for element in node.table_elts:
        constraints = [element.constraint] if element.HasField("constraint") else []
        constraints += [item.constraint for item in element.column_def.constraints]
        for constraint in constraints:
            yield from _constraint(name, constraint)


def _constraint(table: TableName, constraint: Any) -> Iterator[Claim]:
    """The claims of a constraint that is given a name."""
    own = constraint.conname
    if not own:
        return
    kind = "constraint"
    if constraint.contype == pb.CONSTR_FOREIGN:
        kind = "foreign key"
    elif constraint.contype == pb.CONSTR_PRIMARY:
        kind = "primary key"
    columns = frozenset(words(constraint.keys or constraint.fk_attrs))
    yield Claim(
        of_table("constraint", table, own),
        Holder(kind, table, columns),
        table,
    )
    if constraint.contype in _OF_INDEXES and not constraint.indexname:
        name = relation(TableName(table.schema, own))
        yield Claim(name, Holder("index", table, columns), table)


def _foreign_table(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    yield from _table(node.base_stmt, standing, names, "foreign table")


def _table_as(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    if node.into.rel.relpersistence == "t":
        return
    kind = "materialized view" if node.objtype == pb.OBJECT_MATVIEW else "table"
    yield _made(node.into.rel, standing, kind, passes=node.if_not_exists)


def _select(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    into = node.into_clause.rel
    if into.relname and into.relpersistence != "t":
        yield _made(into, standing, "table")


def _view(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    if node.view.relpersistence == "t":
        return
    replaces = ("view",) if node.replace else ()
    yield _made(node.view, standing, "view", replaces=replaces)


def _sequence(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    if node.sequence.relpersistence != "t":
        yield _made(
            node.sequence,
            standing,
            "sequence",
            typed=False,
            passes=node.if_not_exists,
        )


def _index(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    if not node.idxname:
        return
    table = found(node.relation, standing, names)
    columns = frozenset(item.index_elem.name for item in node.index_params) - {""}
    yield Claim(
        relation(TableName(table.schema, node.idxname)),
        Holder("index", table, columns),
        table,
        passes=node.if_not_exists,
    )


# --- types ----------------------------------------------------------------------------------------


def _type(parts: Sequence[str], standing: Standing) -> Claim:
    schema, own = spelled(parts, standing)
    name = Name("type", schema, "", own)
    return Claim(name, Holder("type"), TableName(schema, own))


def _named_type(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    claim = _type(words(node.type_name), standing)
    yield claim
    for label in getattr(node, "vals", ()):
        within = Name("label", claim.name.schema, claim.name.name, label.string.sval)
        yield Claim(within, Holder("label", claim.table), claim.table, passes=True)


def _domain(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    yield _type(words(node.domainname), standing)


def _composite(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    yield _made(node.typevar, standing, "type")


def _label(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    schema, own = spelled(words(node.type_name), standing)
    type_ = TableName(schema, own)
    yield Claim(
        of_table("label", type_, node.new_val),
        Holder("label", type_),
        type_,
        passes=node.skip_if_new_val_exists,
    )


# --- what is a table's own, and what is the database's --------------------------------------------


def _of_table(
    space: str, own: str, replace: str = ""
) -> Callable[[Any, Standing, Names], Iterator[Claim]]:
    """What reads the claim of a trigger, a policy or a rule.

    Args:
        space: which of them.
        own: the field with its name.
        replace: the field that says OR REPLACE.
    """

    def read(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
        to = node.table if space == "policy" else node.relation
        table = found(to, standing, names)
        replaces = (space,) if replace and getattr(node, replace) else ()
        yield Claim(
            of_table(space, table, getattr(node, own)),
            Holder(space, table),
            table,
            replaces=replaces,
        )

    return read


def _schema(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    own = node.schemaname or node.authrole.rolename
    if own:
        name = Name("schema", "", "", own)
        yield Claim(name, Holder("schema"), passes=node.if_not_exists)


def _extension(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    name = Name("extension", "", "", node.extname)
    yield Claim(name, Holder("extension"), passes=node.if_not_exists)


def _altered(node: Any, standing: Standing, names: Names) -> Iterator[Claim]:
    """The constraints that an ALTER TABLE adds; those that it drops go first."""
    table = found(node.relation, standing, names)
    commands = [item.alter_table_cmd for item in node.cmds]
    for command in commands:
        definition = getattr(command, "def")
        if command.subtype == pb.AT_AddConstraint:
            yield from _constraint(table, definition.constraint)
        elif command.subtype == pb.AT_AddColumn and not command.missing_ok:
            for item in definition.column_def.constraints:
                yield from _constraint(table, item.constraint)


_CLAIMS: dict[str, Callable[[Any, Standing, Names], Iterator[Claim]]] = {
    "create_stmt": _table,
    "create_foreign_table_stmt": _foreign_table,
    "create_table_as_stmt": _table_as,
    "select_stmt": _select,
    "view_stmt": _view,
    "create_seq_stmt": _sequence,
    "index_stmt": _index,
    "create_enum_stmt": _named_type,
    "create_range_stmt": _named_type,
    "create_domain_stmt": _domain,
    "composite_type_stmt": _composite,
    "alter_enum_stmt": _label,
    "create_trig_stmt": _of_table("trigger", "trigname", "replace"),
    "create_policy_stmt": _of_table("policy", "policy_name"),
    "rule_stmt": _of_table("rule", "rulename", "replace"),
    "create_schema_stmt": _schema,
    "create_extension_stmt": _extension,
    "alter_table_stmt": _altered,
}
