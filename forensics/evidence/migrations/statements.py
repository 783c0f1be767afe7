"""A migration's SQL as statements, parsed with PostgreSQL's own parser. Nothing is executed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.errors import MigrationError

# The kind of a statement that the parser refuses: a later version's, an extension's, or a typo.
NOT_UNDERSTOOD = "not_understood"
_ATOMIC = re.compile(r"\bBEGIN\s+ATOMIC\b", re.I)
_END = re.compile(r"\s*END\s*", re.I)
_LEADING = re.compile(rb"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.S)


@dataclass(frozen=True)
class Statement:
    """One statement of a migration.

    `line` is where its first word stands, from 1; `kind` is the parse tree's name for it
    (`drop_stmt`); `node` is the tree below that name, as libpg_query's protobuf message. One that
    is not understood has the kind `NOT_UNDERSTOOD` and an empty tree.
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


def read_statements(text: bytes, name: str) -> tuple[Statement, ...]:
    """Parse SQL into its statements, those among them that the parser refuses included.

    Args:
        text: the SQL, in UTF-8.
        name: what messages call it.

    Raises:
        MigrationError: it cannot be told where its statements end.
    """
    try:
        return parse_statements(text, name)
    except MigrationError as error:
        decoded = _decoded(text, name)
        try:
            parts = postgast.split(decoded, method="scanner")
        except postgast.PgQueryError:
            raise error from None
    found: list[Statement] = []
    for start, end in _places(decoded, parts):
        before = decoded.count("\n", 0, start)
        for statement in _one(decoded[start:end], name):
            found.append(replace(statement, line=before + statement.line))
    return tuple(found)


def _places(text: str, parts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where statements stand; a scanner cuts the bodies of functions at their semicolons."""
    at, start, within = 0, 0, False
    for part in parts:
        at = text.index(part, at)
        if not within:
            start = at
        at += len(part)
        within = within or _ATOMIC.search(part) is not None
        if within and not _END.fullmatch(part):
            continue
        within = False
        yield start, at
    if within:
        yield start, at


def _one(part: str, name: str) -> tuple[Statement, ...]:
    """A statement by itself, with the line where it stands in its own text."""
    text = part.encode("utf-8")
    try:
        return parse_statements(text, name)
    except MigrationError:
        start = _first_word(text, 0, len(text))
        words = text[start:].decode("utf-8").strip()
        line = text.count(b"\n", 0, start) + 1
        return (Statement(words, line, NOT_UNDERSTOOD, pb.RawStmt()),)


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
