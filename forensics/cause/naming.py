"""Where names without a schema lead that migrations write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from postgast import pg_query_pb2 as pb

from forensics.cause.matching import match
from forensics.errors import MigrationError
from forensics.evidence.migrations import (
    APART,
    HistoryEntry,
    Migration,
    Statement,
    is_history,
)
from forensics.model import Table, TableName
from forensics.statements.hazards import ranges
from forensics.statements.tree import words

PUBLIC = "public"
_TABLES = (pb.OBJECT_TABLE, pb.OBJECT_FOREIGN_TABLE)


def schema_of(
    entries: Sequence[HistoryEntry],
    files: Sequence[Migration],
    tables: Mapping[TableName, Table],
) -> str:
    """Return where names without a schema lead.

    That is the schema of the history table, where its tool keeps it with the others, or else
    public. The tables decide which: a history may have been given a schema of its own, and then
    what its migrations name is not in it.

    Args:
        entries: of all histories. A database may hold several: the one that the files belong to
            counts, if one does.
        files: the migrations.
        tables: those that are known, of either side.
    """
    schema = _of_history(entries, files)
    if schema == PUBLIC:
        return schema
    named = _named(files)
    beside = _held(named, schema, tables)
    public = _held(named, PUBLIC, tables)
    if beside or public:
        return PUBLIC if public > beside else schema
    return PUBLIC if _holds_a_history_only(schema, tables) else schema


def _of_history(entries: Sequence[HistoryEntry], files: Sequence[Migration]) -> str:
    """The schema of the history that counts; public where its tool keeps it apart."""
    ours = {entry.table for entry in entries if match(entry, files)}
    for entry in entries:
        if entry.tool not in APART and (not ours or entry.table in ours):
            return entry.table.schema
    return PUBLIC


def _held(named: set[str], schema: str, tables: Mapping[TableName, Table]) -> int:
    """How many of some names are tables of a schema."""
    return sum(TableName(schema, name) in tables for name in named)


def _holds_a_history_only(schema: str, tables: Mapping[TableName, Table]) -> bool:
    held = [table for name, table in tables.items() if name.schema == schema]
    return bool(held) and all(map(is_history, held))


def _named(files: Sequence[Migration]) -> set[str]:
    """The tables that migrations name without a schema."""
    found: set[str] = set()
    for file in files:
        try:
            statements = file.statements
        except MigrationError:
            continue  # whoever runs it says so
        for statement in statements:
            found.update(_named_in(statement))
    return found


def _named_in(statement: Statement) -> Iterator[str]:
    for relation in ranges(statement.node):
        if not relation.schemaname:
            yield relation.relname
    if statement.kind == "drop_stmt" and statement.node.remove_type in _TABLES:
        for item in statement.node.objects:
            name = words(item.list.items)
            if len(name) == 1:
                yield name[0]
