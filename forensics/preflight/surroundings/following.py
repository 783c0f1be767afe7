"""Which names are taken after a statement."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.preflight.forecast import Standing
from forensics.preflight.surroundings.claims import Claim, claims, found, spelled
from forensics.preflight.surroundings.names import (
    TABLES,
    VIEWS,
    Holder,
    Name,
    Names,
    of_table,
    relation,
)
from forensics.statements.hazards import resolve
from forensics.statements.tree import name_called, of_type, words

RELATIONS = {
    pb.OBJECT_TABLE: "table",
    pb.OBJECT_FOREIGN_TABLE: "foreign table",
    pb.OBJECT_VIEW: "view",
    pb.OBJECT_MATVIEW: "materialized view",
    pb.OBJECT_INDEX: "index",
    pb.OBJECT_SEQUENCE: "sequence",
}
OF_TABLES = {
    pb.OBJECT_TABCONSTRAINT: "constraint",
    pb.OBJECT_TRIGGER: "trigger",
    pb.OBJECT_POLICY: "policy",
    pb.OBJECT_RULE: "rule",
}
TYPES = (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN)
_WORD = re.compile(r"\w+")
_MAKES = {"create", "rename", "execute", "perform"}
_CHANGES = {"drop", "rename", "alter"}
_PLAIN = {"set_config", "setval", "nextval", "currval", "count", "now"}


def advance(statement: Statement, standing: Standing, names: Names) -> None:
    """Take a statement as done.

    Args:
        standing: the tables before it.
        names: what is changed.
    """
    follow = _FOLLOWS.get(statement.kind)
    if follow:
        follow(statement, standing, names)
    for claim in claims(statement, standing, names):
        _take(claim, names)
    _note_temporary(statement.node, names)


def _take(claim: Claim, names: Names) -> None:
    taken = names.holder(claim.name)
    if taken and taken.kind not in claim.replaces:
        return
    names.take(claim.name, claim.holder)
    if claim.typed and claim.table:
        row = Name("type", claim.name.schema, "", claim.name.name)
        names.take(row, Holder("type", claim.table))


def _note_temporary(node: Any, names: Names) -> None:
    """A temporary table may stand before others of its name."""
    for one in ("relation", "view", "sequence"):
        made = getattr(node, one, None)
        if made is not None and getattr(made, "relpersistence", "") == "t":
            names.note(relation(TableName("pg_temp", made.relname)))
    for clause in ("into", "into_clause"):
        made = getattr(getattr(node, clause, None), "rel", None)
        if made is not None and made.relpersistence == "t":
            names.note(relation(TableName("pg_temp", made.relname)))


# --- dropping -------------------------------------------------------------------------------------


def _drop(statement: Statement, standing: Standing, names: Names) -> None:
    node = statement.node
    kind = node.remove_type
    for item in node.objects:
        parts = parts_of(item)
        if kind in RELATIONS:
            names.free_table(dropped(parts, standing, names))
        elif kind in OF_TABLES:
            *table, own = parts
            names.free(of_table(OF_TABLES[kind], dropped(table, standing, names), own))
        elif kind in TYPES:
            names.free_type(TableName(*spelled(parts, standing)))
        elif kind == pb.OBJECT_SCHEMA:
            names.free_schema(item.string.sval)
        elif kind == pb.OBJECT_EXTENSION:
            names.free_all()
    if node.behavior == pb.DROP_CASCADE:
        names.free_depending()


def parts_of(item: Any) -> list[str]:
    """The parts of a name that a DROP lists."""
    if item.HasField("type_name"):
        return words(item.type_name.names)
    if item.HasField("string"):
        return [item.string.sval]
    return words(item.list.items or item.object_with_args.objname)


def dropped(parts: list[str], standing: Standing, names: Names) -> TableName:
    """The relation that a DROP lists."""
    schema = parts[-2] if len(parts) > 1 else ""
    path = (standing.schema, *standing.path)
    return resolve(schema, parts[-1], path, names.relations)


def _alter(statement: Statement, standing: Standing, names: Names) -> None:
    node = statement.node
    table = found(node.relation, standing, names)
    for item in node.cmds:
        command = item.alter_table_cmd
        if command.subtype == pb.AT_DropColumn:
            names.free_column(table, command.name)
        elif command.subtype == pb.AT_DropConstraint:
            names.free(of_table("constraint", table, command.name))
            names.free(relation(TableName(table.schema, command.name)))
        if command.behavior == pb.DROP_CASCADE:
            names.free_depending()


def _everything(statement: Statement, standing: Standing, names: Names) -> None:
    names.more = True
    names.free_all()


def _block(statement: Statement, standing: Standing, names: Names) -> None:
    """A DO block: what it runs is not followed."""
    spoken = set(_WORD.findall(statement.text))
    lower = {word.lower() for word in spoken}
    names.vague |= spoken | lower
    if lower & _MAKES:
        names.more = True
    if "execute" in lower:
        names.free_all()
    elif lower & _CHANGES:
        names.free_mentioned(spoken | lower)


def _called(statement: Statement, standing: Standing, names: Names) -> None:
    called = {name_called(call) for call in of_type(statement.node, "FuncCall")}
    if not called <= _PLAIN:
        names.more = True


def _more(statement: Statement, standing: Standing, names: Names) -> None:
    names.more = True


def _schema(statement: Statement, standing: Standing, names: Names) -> None:
    names.more = names.more or bool(statement.node.schema_elts)


# --- moving ---------------------------------------------------------------------------------------


def _rename(statement: Statement, standing: Standing, names: Names) -> None:
    node = statement.node
    kind, new = node.rename_type, node.newname
    if kind in RELATIONS:
        table = found(node.relation, standing, names)
        names.move_table(table, TableName(table.schema, new))
    elif kind in OF_TABLES:
        table = found(node.relation, standing, names)
        space = OF_TABLES[kind]
        names.rename(of_table(space, table, node.subname), new)
        if space == "constraint":
            names.rename(relation(TableName(table.schema, node.subname)), new)
    elif kind in TYPES:
        schema, own = spelled(words(node.object.list.items), standing)
        names.free_type(TableName(schema, own))  # its labels go on under another name
        names.take(Name("type", schema, "", new), Holder("type"))
    elif kind == pb.OBJECT_COLUMN:
        names.free_column(found(node.relation, standing, names), node.subname)
    else:
        names.more = True
        if kind == pb.OBJECT_SCHEMA:
            names.free_schema(node.subname)


def _move(statement: Statement, standing: Standing, names: Names) -> None:
    node = statement.node
    if node.object_type in RELATIONS:
        table = found(node.relation, standing, names)
        names.move_table(table, TableName(node.newschema, table.table))
    else:
        _everything(statement, standing, names)


_FOLLOWS: dict[str, Callable[[Statement, Standing, Names], None]] = {
    "drop_stmt": _drop,
    "alter_table_stmt": _alter,
    "rename_stmt": _rename,
    "alter_object_schema_stmt": _move,
    "do_stmt": _block,
    "call_stmt": _everything,
    "drop_owned_stmt": _everything,
    "select_stmt": _called,
    "create_extension_stmt": _more,
    "create_schema_stmt": _schema,
}

__all__ = ["OF_TABLES", "RELATIONS", "TABLES", "TYPES", "VIEWS", "advance", "dropped", "parts_of"]
