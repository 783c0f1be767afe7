"""What is made besides tables: types, sequences, functions, collations, extensions."""

from __future__ import annotations

from forensics.model import Catalog, TableName, quote_identifier
from forensics.recovery.write.definitions.dump import Statement, type_made
from forensics.recovery.write.definitions.model import Definition, Extra
from forensics.recovery.write.definitions.needs import Needs
from forensics.recovery.write.definitions.survey import (
    makes_collation,
    signature,
)
from forensics.recovery.write.definitions.types import type_text
from forensics.recovery.write.sqltext import literal


class Besides:
    """Takes the statements that make what the tables need.

    Attributes:
        made: what was taken, in order, but for sequences.
    """

    def __init__(self, backup: Catalog, needs: Needs) -> None:
        self._backup = backup
        self._needs = needs
        self.made: list[tuple[str, str] | Extra] = []

    def take(self, statement: Statement) -> Definition | None:
        """Take a statement if it makes something that is needed."""
        match statement.kind:
            case "create_extension_stmt":
                return self._extension(statement)
            case "create_function_stmt":
                return self._function(statement)
            case "define_stmt" if makes_collation(statement):
                return self._collation(statement)
            case "create_seq_stmt" | "alter_seq_stmt":
                return self._sequence(statement)
        name = type_made(statement)
        if name is None:
            return None
        return self._type(statement, name)

    def _extension(self, statement: Statement) -> Definition | None:
        name = statement.node.extname
        if name not in self._needs.extensions:
            return None
        there = f"EXISTS (SELECT FROM pg_extension WHERE extname = {literal(name)})"
        return self._extra(statement, Extra("EXTENSION", quote_identifier(name), there))

    def _function(self, statement: Statement) -> Definition | None:
        name = signature(statement)
        if name not in self._needs.functions:
            return None
        there = f"to_regprocedure({literal(name)}) IS NOT NULL"
        of_rows = any(type_text(table) in name for table in self._needs.tables)
        return self._extra(statement, Extra("FUNCTION", name, there, of_rows))

    def _collation(self, statement: Statement) -> Definition | None:
        name = statement.named(statement.node.defnames)
        if name not in self._needs.collations:
            return None
        there = (
            "EXISTS (SELECT FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace "
            f"WHERE c.collname = {literal(name.table)} AND n.nspname = {literal(name.schema)})"
        )
        return self._extra(statement, Extra("COLLATION", name.sql, there))

    def _extra(self, statement: Statement, extra: Extra) -> Definition:
        self.made.append(extra)
        return statement.define("before", unless=extra.there)

    def _sequence(self, statement: Statement) -> Definition | None:
        if statement.name(statement.node.sequence) not in self._needs.sequences:
            return None
        return statement.define("before")

    def _type(self, statement: Statement, name: TableName) -> Definition | None:
        text = type_text(name)
        if text not in self._needs.types:
            return None
        self.made.append((type_kind(self._backup, text), text))
        return statement.define("before")


def type_kind(backup: Catalog, name: str) -> str:
    """What DROP calls a type."""
    return "DOMAIN" if name in backup.domains else "TYPE"
