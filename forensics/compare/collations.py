"""Collations of a dump under which different texts are equal, and the columns that have them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import postgast
from psycopg import sql

from forensics.evidence.ddl import identifier
from forensics.model import TableName

_MAKES = re.compile(r"(?:\s|--[^\n]*\n)*CREATE\s+COLLATION\b", re.I)
_TABLE = re.compile(r"(?:\s|--[^\n]*\n)*CREATE\s+(?:UNLOGGED\s+)?TABLE\b", re.I)
_OPTIONS = ("provider", "locale", "lc_collate", "lc_ctype", "rules")


@dataclass
class Collations:
    """What a dump says.

    Attributes:
        columns: by column of the table, its collation.
        statements: what makes those collations, written anew.
    """

    columns: dict[str, str] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)


def nondeterministic(statements: Iterable[str], table: TableName) -> Collations:
    """Read a schema for the collations of a table's columns that hold different texts equal."""
    made: dict[str, str] = {}
    found = Collations()
    for text in statements:
        if _MAKES.match(text):
            _collation(text, made)
        elif made and _TABLE.match(text):
            _columns(text, table, made, found)
    for name in dict.fromkeys(found.columns.values()):
        schema = name.rpartition(".")[0]
        found.statements += [f"CREATE SCHEMA IF NOT EXISTS {schema};", made[name]]
    return found


def _tree(text: str) -> list[Any]:
    try:
        return list(postgast.parse(text).stmts)
    except postgast.PgQueryError:
        return []


def _collation(text: str, made: dict[str, str]) -> None:
    for raw in _tree(text):
        statement = raw.stmt.define_stmt
        options, loose = [], False
        for node in statement.definition:
            option = node.def_elem
            value = _value(option.arg)
            if option.defname == "deterministic":
                loose = value == "false"
            elif option.defname in _OPTIONS:
                literal = sql.Literal(value).as_string(None)
                options.append(f"{option.defname} = {literal}")
        name = _name(statement.defnames)
        if loose:
            options.append("deterministic = false")
            made[name] = f"CREATE COLLATION {name} ({', '.join(options)});"


def _value(argument: Any) -> str:
    """What an option says, however it is written."""
    kind = argument.WhichOneof("node")
    if kind == "type_name":
        return str(argument.type_name.names[-1].string.sval)
    if kind == "string":
        return str(argument.string.sval)
    if kind == "boolean":
        return str(argument.boolean.boolval).lower()
    return ""


def _name(nodes: Any) -> str:
    path = [node.string.sval for node in nodes]
    if len(path) == 1:
        path = ["public", *path]
    return ".".join(map(identifier, path))


def _columns(text: str, table: TableName, made: dict[str, str], found: Collations) -> None:
    for raw in _tree(text):
        statement = raw.stmt.create_stmt
        relation = statement.relation
        if (relation.schemaname or "public", relation.relname) != tuple(table):
            continue
        for element in statement.table_elts:
            column = element.column_def
            name = _name(column.coll_clause.collname)
            if name in made:
                found.columns[column.colname] = name
