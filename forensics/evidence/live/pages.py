"""Where a table of a database may be cut: at pages of the files that hold its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from psycopg import sql

from forensics.evidence.live.runs import FIRST_VERSION
from forensics.evidence.live.sent import OPEN_END
from forensics.evidence.parts import Cut
from forensics.evidence.source import leaves_by_root
from forensics.model import Catalog, TableName

_PAGE = 8192

Ask = Callable[[sql.Composed], list[dict[str, Any]]]


def tables_of(name: TableName, catalog: Catalog) -> tuple[TableName, ...]:
    """The tables with pages that hold a table's rows; none where not all of them have some."""
    kind = catalog.tables[name].kind
    if kind == "table":
        return (name,)
    if kind != "partitioned":
        return ()
    leaves = leaves_by_root(catalog).get(name, ())
    if any(catalog.tables[leaf].kind != "table" for leaf in leaves):
        return ()
    return tuple(leaves)


def cuts(tables: Sequence[TableName], ask: Ask, version: int, size: int) -> list[Cut]:
    """Return ranges of pages, of about `size` bytes; the last one of a table has no end.

    Args:
        tables: those that hold the rows.
        ask: asks the database.
        version: the server's.
        size: in bytes.
    """
    listed = []
    for number, table in enumerate(tables):
        values = sql.SQL("({}, {}::pg_catalog.regclass)")
        listed.append(values.format(sql.Literal(number), sql.Literal(table.sql)))
    if not listed:
        return [()]
    question = sql.SQL(
        "SELECT n, pg_catalog.pg_relation_size(t) AS bytes,"
        " pg_catalog.has_table_privilege(t, 'SELECT') AS readable"
        " FROM (VALUES {}) AS asked (n, t) ORDER BY n"
    ).format(sql.SQL(", ").join(listed))
    found: list[Cut] = []
    pages = max(1, size // _PAGE)
    for row in ask(question):
        if not row["readable"]:  # who may read the whole need not be allowed to read a part
            return [()]
        edges = [0]
        if version >= FIRST_VERSION:
            edges = list(range(0, max(1, -(-row["bytes"] // _PAGE)), pages))
        for first, behind in zip(edges, [*edges[1:], OPEN_END], strict=True):
            found.append((row["n"], first, behind))
    return found
