"""What people ask, as DuckDB's own parser understands it: one SELECT, and the tables it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb

from forensics.errors import QueryError
from forensics.model import quote_literal

_PLACE = re.compile(r"\n\s*LINE (\d+): (.*)\n( *)\^", re.S)
_VALUE = re.compile(r"(?:convert|cast) \w+ '(.*)' to|with value '(.*)' can't", re.S)
_END = re.compile(r";\s*(?:--[^\n]*\s*|/\*.*?\*/\s*)*\Z", re.S)
_WRITES = "A backup and live are only read: ask with one SELECT."


class Named(NamedTuple):
    """A table as the SQL names it; what it leaves out is ""."""

    catalog: str
    schema: str
    table: str

    def __str__(self) -> str:
        return ".".join(filter(None, self))


@dataclass(frozen=True)
class Question:
    """One SELECT.

    Attributes:
        sql: its text, without a semicolon.
        tables: those that it names; a name that it defines itself (WITH) may be among them.
        defined: the names that it defines itself, in lower case.
        about_all: whether it asks which tables there are (SHOW TABLES).
    """

    sql: str
    tables: tuple[Named, ...]
    defined: frozenset[str]
    about_all: bool


def question(db: duckdb.DuckDBPyConnection, sql: str, before: int = 0) -> Question:
    """Understand what was asked.

    Args:
        db: a connection, for its parser.
        sql: as it was typed.
        before: lines of it that nobody typed.

    Raises:
        QueryError: it is no SQL, or not one SELECT.
    """
    text, tree = _only_select(db, sql, before)
    tables: dict[Named, None] = {}
    defined: set[str] = set()
    about_all = False
    for node in _nodes(tree):
        if node.get("type") == "BASE_TABLE":
            names = (node["catalog_name"], node["schema_name"], node["table_name"])
            tables[Named(*names)] = None
        elif node.get("type") == "SHOW_REF" and not node.get("query"):
            about_all = True
        for entry in (node.get("cte_map") or {}).get("map", ()):
            defined.add(entry["key"].lower())
    return Question(text, tuple(tables), frozenset(defined), about_all)


def column_names(db: duckdb.DuckDBPyConnection, sql: str) -> list[list[str]]:
    """Return the columns that a SELECT names, each with what stands before its dots."""
    found = []
    for node in _nodes(_tree(db, sql)):
        if node.get("type") == "COLUMN_REF":
            found.append(node["column_names"])
    return found


def _only_select(db: duckdb.DuckDBPyConnection, sql: str, before: int) -> tuple[str, Any]:
    """The one SELECT that there is, and its tree."""
    try:
        statements = db.extract_statements(sql)
    except duckdb.Error as error:
        raise refused(error, sql, before) from None
    if not statements:
        raise QueryError("There is no question in it.", "Ask with one SELECT.")
    if any(not one.query or one.type.name == "MULTI" for one in statements):
        raise QueryError(
            "A PIVOT finds its columns by a statement of its own, and is not run so.",
            "Say which they are: PIVOT … ON column IN (…).",
        )
    if len(statements) > 1:
        raise QueryError(
            f"These are {len(statements)} statements: one SELECT is answered at a time.",
            "Join them with WITH or UNION ALL, or ask one after another.",
        )
    [statement] = statements
    if statement.type != duckdb.StatementType.SELECT:
        kind = statement.type.name.replace("_", " ")
        raise QueryError(f"This is {_article(kind)} {kind} statement and is not run.", _WRITES)
    text = _without_end(db, statement.query.strip())
    tree = _tree(db, text)
    if tree is None:
        raise QueryError("This is no SELECT that can be answered.", _WRITES)
    return text, tree


def _without_end(db: duckdb.DuckDBPyConnection, sql: str) -> str:
    """A statement without its semicolon and what stands behind that."""
    short = _END.sub("", sql)
    try:
        if len(db.extract_statements(short)) == 1:
            return short
    except duckdb.Error:
        pass  # it was a semicolon within a text
    return sql


def _article(word: str) -> str:
    if word[:1] in "AEIOU":
        return "an"
    return "a"


def _tree(db: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """The statement as a tree, or None where it is no SELECT."""
    # As a literal: of a parameter DuckDB asks whether it is pandas', and loads that.
    serialized = f"SELECT json_serialize_sql({quote_literal(sql)})"
    [(text,)] = db.execute(serialized).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        return None
    return tree


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node of a tree."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def refused(error: duckdb.Error, sql: str, before: int = 0, hint: str | None = None) -> QueryError:
    """Return what DuckDB said of a question as one sentence, with the place.

    Args:
        error: DuckDB's. A value of a row that it quotes is left out.
        sql: the question.
        before: lines that stand before the question's first one.
        hint: what to do.
    """
    words = str(error)
    place = ""
    if found := _PLACE.search(words):
        words = words[: found.start()]
        line, text = int(found[1]), found[2]
        # The caret stands under the text, behind what DuckDB writes before it.
        column = len(found[3]) - len(f"LINE {line}: ")
        cut = text.startswith("...")
        near = text[max(0, column) :].strip() or text.strip()
        place = f" (line {max(1, line - before)}"
        if not cut:
            place += f", column {column + 1}"
        place += f": {near[:60]})"
    if found := _VALUE.search(words):
        value = found[1] or found[2]
        if value and value not in sql:
            words = words.replace(value, "…")
    said = " ".join(words.split()).rstrip(".")
    return QueryError(f"{said}{place}.", hint)
