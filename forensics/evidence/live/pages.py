"""Where a table of a database may be cut: at pages of the files that hold its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from psycopg import sql

from forensics.evidence.live.sql_files import query
from forensics.evidence.parts import Cut
from forensics.evidence.source import leaves_by_root
from forensics.model import Catalog, TableName

FIRST_VERSION = 140000  # that reads a range of ctids without the rest of the table
# A plan that looks through all of a table for each range would be a fault.
SETTINGS = {"enable_seqscan": "off", "enable_tidscan": "on"}
OPEN_END = -1  # of a range: whatever comes behind its first page

Ask = Callable[[sql.Composed | sql.SQL], list[dict[str, Any]]]


def tables_of(name: TableName, catalog: Catalog) -> tuple[TableName, ...]:
    """The tables with pages that hold a table's rows; none where not all of them have some."""
    kind = catalog.tables[name].kind
    if kind == "table":
        return (name,)
    if kind != "partitioned":
        return ()
    leaves = leaves_by_root(catalog).get(name, ())
    if any(catalog.tables[leaf].kind != "partition" for leaf in leaves):
        return ()
    return tuple(leaves)


def question(tables: Sequence[TableName]) -> str:
    """The SELECT of one array: of each table its pages and bytes; less than 0 where it has none
    that are read by themselves."""
    named = [sql.Literal(table.sql).as_string(None) for table in tables]
    return query("pages").replace("{tables}", ", ".join(named))


def step_of(pages: int, held: int, size: int) -> int:
    """How many of a table's pages, which hold so many bytes, are about `size` bytes."""
    return max(1, size * pages // max(held, 1))


def condition(first: int, behind: int) -> str:
    """What holds of the rows of a range of pages, in SQL; nothing of all rows.

    Args:
        first: its first page.
        behind: the one behind its last, or `OPEN_END`.
    """
    terms = []
    if first:
        terms.append(f"ctid >= '({first},0)'::pg_catalog.tid")
    if behind != OPEN_END:
        terms.append(f"ctid < '({behind},0)'::pg_catalog.tid")
    return " AND ".join(terms)


def copy_of(columns: str, table: str, where: str) -> str:
    """The COPY of a table's own rows of which a condition holds.

    Args:
        columns, table: as SQL.
        where: as `condition` returns it.
    """
    selected = f"SELECT {columns} FROM ONLY {table}"
    if where:
        selected += f" WHERE {where}"
    return f"COPY ({selected}) TO STDOUT"


def cuts(tables: Sequence[TableName], ask: Ask, version: int, size: int) -> list[Cut]:
    """Return ranges of pages, of about `size` bytes; the last one of a table has no end.

    Args:
        tables: those that hold the rows.
        ask: asks the database.
        version: the server's.
        size: in bytes.
    """
    if not tables:
        return [()]
    [row] = ask(sql.SQL(question(tables)))  # type: ignore[arg-type]
    found: list[Cut] = []
    for number, (pages, held) in enumerate(row["pages"]):
        if pages < 0:
            return [()]
        edges = [0]
        if version >= FIRST_VERSION:
            edges = list(range(0, max(1, pages), step_of(pages, held, size)))
        for first, behind in zip(edges, [*edges[1:], OPEN_END], strict=True):
            found.append((number, first, behind))
    return found
