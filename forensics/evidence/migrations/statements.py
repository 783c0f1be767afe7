"""A migration's SQL as statements, parsed with PostgreSQL's own parser. Nothing is executed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import postgast

from forensics.errors import MigrationError

_LEADING = re.compile(rb"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.S)


@dataclass(frozen=True)
class Statement:
    """One statement of a migration.

    `line` is where its first word stands, from 1; `kind` is the parse tree's name for it
    (`drop_stmt`); `node` is the tree below that name, as libpg_query's protobuf message.
    """

    text: str
    line: int
    kind: str
    node: Any


def parse_statements(text: bytes, name: str) -> tuple[Statement, ...]:
    """Parse SQL into its statements.

    Args:
        text: the SQL, in UTF-8.
        name: what messages call it.

    Raises:
        MigrationError: it does not parse; the message has line and column.
    """
    decoded = _decoded(text, name)
    body = decoded.encode("utf-8")
    found = []
    line, counted = 1, 0
    for raw in _parsed(decoded, name).stmts:
        kind = raw.stmt.WhichOneof("node")
        if kind is None:
            continue
        end = len(body)
        if raw.stmt_len:
            end = raw.stmt_location + raw.stmt_len
        start = _first_word(body, raw.stmt_location, end)
        words = body[start:end].decode("utf-8").strip()
        line += body.count(b"\n", counted, start)
        counted = start
        found.append(Statement(words, line, kind, getattr(raw.stmt, kind)))
    return tuple(found)


def _decoded(text: bytes, name: str) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise MigrationError(
            f"{name}, line {line}: there is a byte that is no UTF-8.",
            "Save the file as UTF-8.",
        ) from error


def _parsed(text: str, name: str) -> Any:
    try:
        return postgast.parse(text)
    except postgast.PgQueryError as error:
        # The parser counts characters here, whatever its documentation says, and bytes in the
        # positions of statements.
        at = max(error.cursorpos - 1, 0)
        line = text.count("\n", 0, at) + 1
        column = at - text.rfind("\n", 0, at)
        raise MigrationError(
            f"{name}, line {line}, column {column}: {error.message}.",
            "It has to be SQL that PostgreSQL's own parser takes: "
            "no psql commands, no placeholders.",
        ) from error


def _first_word(body: bytes, start: int, end: int) -> int:
    """Where a statement begins, after the blanks and the comments before it."""
    lead = _LEADING.match(body, start, end)
    assert lead is not None  # it takes nothing too
    return lead.end()
