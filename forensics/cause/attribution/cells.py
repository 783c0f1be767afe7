"""The values of changed rows in which live differs: what a replay follows of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import duckdb

from forensics.compare.canonical import Writer
from forensics.compare.overwritten.columns import Cell
from forensics.compare.overwritten.search import changed_rows
from forensics.evidence.written import copy_text
from forensics.model import TableResult
from forensics.store import Store, has_table

_BATCH = 10_000

# The mark of a value: NULL on both sides, the same on both (somebody may have written it back), and
# another one in live where NULL stood, where a value stood, and where one stood that was destroyed.
NOTHING, SAME, FILLED, CHANGED, DESTROYED = "-", "s", "f", "c", "d"


class Marked(NamedTuple):
    """The changed rows of a table.

    Attributes:
        columns: those in which any of them differs.
        rows: COPY text of their keys, each with a mark for every column.
    """

    columns: tuple[str, ...]
    rows: Iterator[bytes]


def marked_rows(store: Store, result: TableResult) -> Marked | None:
    """Return the changed rows of a table; None where it has none but rows of other keys.

    Args:
        store: the case.
        result: what was found of the table, which has a key.
    """
    with store.query() as db:
        there = changed_rows(store, db, result, _writers(store))
        if there is None:
            return None
        cells = _different(db, there[1])
    if not cells:
        return None
    return Marked(tuple(cell.name for cell in cells), _rows(store, result, cells))


def _writers(store: Store) -> dict[str, Writer]:
    backup, live = zip(store.catalogs(), store.evidence(), strict=True)
    return {"backup": Writer.once(*backup), "live": Writer.once(*live)}


def _different(db: duckdb.DuckDBPyConnection, cells: Sequence[Cell]) -> list[Cell]:
    """The columns in which any row differs."""
    if not cells:
        return []
    counts = ", ".join(f"count(*) FILTER ({cell.differs})" for cell in cells)
    [found] = db.execute(f"SELECT {counts} FROM changed_rows").fetchall()
    return [cell for cell, rows in zip(cells, found, strict=True) if rows]


def _rows(store: Store, result: TableResult, cells: Sequence[Cell]) -> Iterator[bytes]:
    number = store.number(result.name)
    held = store.columns(result.name, "backup")
    keys = ", ".join(f"k.f{held.index(column)}" for column in result.key)
    with store.query() as db:
        changed_rows(store, db, result, _writers(store))
        destroyed, places = "", "NULL::INTEGER[]"
        if has_table(db, f"rows.overwritten_{number}"):
            destroyed = (
                "LEFT JOIN (SELECT pair, list(place) AS places "
                f"FROM rows.overwritten_{number} WHERE lost GROUP BY pair) o ON o.pair = c.pair"
            )
            places = "o.places"
        marks = " || ".join(_mark(cell, places) for cell in cells)
        query = (
            f"SELECT {keys}, {marks} FROM changed_rows c "
            f"JOIN rows.backup_{number} k ON k.pair = c.pair {destroyed} "
            "WHERE k.state = 'changed'"
        )
        for batch in db.sql(query).to_arrow_reader(_BATCH):
            yield copy_text(batch).encode("utf-8")


def _mark(cell: Cell, places: str) -> str:
    return (
        f"CASE WHEN {cell.old} IS NULL AND {cell.new} IS NULL THEN '{NOTHING}' "
        f"WHEN NOT ({cell.differs}) THEN '{SAME}' WHEN {cell.old} IS NULL THEN '{FILLED}' "
        f"WHEN list_contains({places}, {cell.place}) THEN '{DESTROYED}' ELSE '{CHANGED}' END"
    )
