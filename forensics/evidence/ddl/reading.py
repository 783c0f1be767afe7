"""Statements, one after the other, into a Catalog.

Only those that say something about tables, keys, types, extensions and sequences are parsed;
functions, views, grants and the like are passed over. Types come out as `format_type` prints them
with an empty search path, and expressions are deparsed, so that both can be held against what a
live catalogue says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import postgast

from forensics.evidence.ddl import sequences, tables, types
from forensics.evidence.ddl.draft import Draft, Handler
from forensics.model import Catalog

_OF_INTEREST = re.compile(
    r"(?:\s|--[^\n]*\n)*"
    r"(?:CREATE\s+(?:UNLOGGED\s+|FOREIGN\s+|MATERIALIZED\s+|UNIQUE\s+)?"
    r"(?:TABLE|VIEW|INDEX|TYPE|DOMAIN|EXTENSION|SEQUENCE)\b"
    r"|ALTER\s+(?:TABLE|SEQUENCE|FOREIGN\s+TABLE)\b"
    r"|SET\s+search_path\b"
    r"|SELECT\s+pg_catalog\.(?:setval|set_config)|SELECT\s+setval"
    r"|COMMENT\s+ON\s+TABLE\b)",
    re.I,
)
# It says whose a table is, and the catalogue does not: one follows each table.
_OWNER = re.compile(
    r"(?:\s|--[^\n]*\n)*ALTER TABLE (?:ONLY )?"
    r'(?:(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)\.)?(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
    r' OWNER TO (?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*);\s*\Z'
)
# What is made or altered in dumps of any PostgreSQL; what is none of these may be a table whose
# word was damaged, or of another program.
_MAKES_ODDITIES = re.compile(
    r"(?:\s|--[^\n]*\n)*(?:CREATE|ALTER)\s+(?!(?:ACCESS|AGGREGATE|CAST|COLLATION|CONSTRAINT"
    r"|CONVERSION|DATABASE|DEFAULT|DOMAIN|EVENT|EXTENSION|FOREIGN|FUNCTION|GLOBAL|GROUP|INDEX"
    r"|LANGUAGE|LARGE|LOCAL|MATERIALIZED|OPERATOR|OR|POLICY|PROCEDURAL|PROCEDURE|PROPERTY"
    r"|PUBLICATION|RECURSIVE|ROLE|ROUTINE|RULE|SCHEMA|SEQUENCE|SERVER|STATISTICS|SUBSCRIPTION"
    r"|SYSTEM|TABLE|TABLESPACE|TEMP|TEMPORARY|TEXT|TRANSFORM|TRIGGER|TRUSTED|TYPE|UNIQUE"
    r"|UNLOGGED|USER|VIEW)\b)",
    re.I,
)
# What rows look like, in a statement that has none: a lost line end has glued them to it.
_HOLDS_ROWS = re.compile(r"\bINTO\s+[^()']*\([^()']*\)\s*VALUES\s*\(|\bINSERT\s+INTO\b", re.I)
_MAKES = re.compile(r"(?:\s|--[^\n]*\n)*(?:CREATE|ALTER|COMMENT|DO)\b", re.I)
_SETS_PATH = re.compile(r"set_config\('search_path'|\bSET\s+search_path\b", re.I)
_WITHOUT_SCHEMA = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r'(?:"(?:[^"]|"")+"|[\w$]+)\s*\(',
    re.I | re.S,
)
_DISTRIBUTED = re.compile(
    r"\s+DISTRIBUTED\s+(?:BY\s*\([^()]*\)|RANDOMLY|REPLICATED)(?=[^()']*;?\s*\Z)",
    re.I,
)


def read_catalog(statements: Iterable[str]) -> Catalog:
    """Read DDL into a Catalog.

    Args:
        statements: SQL texts of one or more statements each, in the dump's order.

    Returns:
        The catalogue. A text that the parser refuses is kept, whole, in `unparsed`.
    """
    draft = Draft()
    for text in statements:
        told = _OF_INTEREST.match(text) or _MAKES_ODDITIES.match(text)
        if told and (_OWNER.match(text) or tables.add_primary_key(draft, text)):
            continue
        if told or (_HOLDS_ROWS.search(text) and not _MAKES.match(text)):
            _read(draft, text)
    _let_orphans_stand(draft)
    return draft.finished()


def first_search_path(statements: Iterable[str]) -> str:
    """Return the search path that holds where a dump begins, or "" for none.

    pg_dump takes it away first of all, or names every schema. What others wrote without one psql
    makes in public.
    """
    bare = False
    for text in statements:
        if _SETS_PATH.search(text):
            return ""
        bare = bare or bool(_WITHOUT_SCHEMA.match(text))
    return "public" if bare else ""


def _read(draft: Draft, text: str) -> None:
    try:
        tree = _parsed(text)
    except postgast.PgQueryError:
        draft.unparsed.append(text)
        return
    for raw in tree.stmts:
        kind = raw.stmt.WhichOneof("node")
        if handler := _HANDLERS.get(kind):
            handler(draft, getattr(raw.stmt, kind))


def _parsed(text: str) -> Any:
    """The tree of a text; what Greenplum says of where rows lie says nothing of what they are."""
    try:
        return postgast.parse(text)
    except postgast.PgQueryError:
        bare = _DISTRIBUTED.sub("", text)
        if bare == text:
            raise
        return postgast.parse(bare)


def _let_orphans_stand(draft: Draft) -> None:
    # `pg_dump --table=PARTITION`: what it is a partition of is not there, so it stands for itself.
    for name, table in list(draft.tables.items()):
        if table.parent is None or table.parent in draft.tables:
            continue
        draft.edit(name, parent=None)
        if table.kind != "partitioned":
            draft.edit(name, kind="table")


def _set(draft: Draft, statement: Any) -> None:
    """SET search_path: dumps of before 2018 set it and write names without a schema."""
    if statement.name == "search_path" and statement.args:
        draft.search_path = statement.args[0].a_const.sval.sval or draft.search_path


# By kind of statement, what takes it in.
_HANDLERS: dict[str | None, Handler] = {
    "create_stmt": tables.create_table,
    "create_foreign_table_stmt": tables.create_foreign_table,
    "create_table_as_stmt": tables.create_table_as,
    "alter_table_stmt": tables.alter_table,
    "index_stmt": tables.create_index,
    "comment_stmt": tables.comment,
    "create_enum_stmt": types.create_enum,
    "create_domain_stmt": types.create_domain,
    "create_range_stmt": types.create_range,
    "composite_type_stmt": types.create_composite,
    "create_extension_stmt": types.create_extension,
    "create_seq_stmt": sequences.create_sequence,
    "alter_seq_stmt": sequences.alter_sequence,
    "select_stmt": sequences.select,
    "variable_set_stmt": _set,
}
