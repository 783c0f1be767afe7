"""References that were emptied because the row that they named is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.compare.overwritten.columns import Cell
from forensics.model import ForeignKey, Table
from forensics.store import Store, has_table


def emptied_with_parents(
    store: Store, tables: tuple[Table, Table], cells: Sequence[Cell]
) -> Iterator[tuple[Cell, ForeignKey, str]]:
    """The columns of foreign keys, and the condition that the row that one named is missing.

    Args:
        store: the case, with every table's rows in it.
        tables: the backup's definition of the table, and live's.
        cells: its columns on both sides.
    """
    by_name = {cell.name: cell for cell in cells}
    seen = set()
    for key in (*tables[0].foreign_keys, *tables[1].foreign_keys):
        ends = (key.columns, key.parent, key.parent_columns)
        if ends in seen or not set(key.columns) <= set(by_name):
            continue
        seen.add(ends)
        gone = _gone(store, key, [by_name[name] for name in key.columns])
        if gone:
            for name in key.columns:
                yield by_name[name], key, f"{by_name[name].new} IS NULL AND {gone}"


def _gone(store: Store, key: ForeignKey, cells: Sequence[Cell]) -> str:
    """The condition that a row named a parent that is missing; "" where none is."""
    held = store.columns(key.parent, "backup")
    number = store.number(key.parent)
    if number is None or not key.parent_columns or not set(key.parent_columns) <= set(held):
        return ""
    with store.query() as cursor:
        if not has_table(cursor, f"rows.backup_{number}"):
            return ""
    ours = ", ".join(cell.old for cell in cells)
    theirs = ", ".join(f"f{held.index(column)}" for column in key.parent_columns)
    return f"({ours}) IN (SELECT ({theirs}) FROM rows.backup_{number} WHERE state = 'missing')"
