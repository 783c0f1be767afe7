"""Which missing rows live would refuse, as far as the case tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.loss.columns import not_of_type
from forensics.model import Column, Table
from forensics.recovery.choose.targets import Target

# What holds for the rows `r` that live refuses, in DuckDB's SQL, and why it does.
Conflict = tuple[str, str]


def conflicts(
    target: Target,
    backup: Table,
    live: Table,
    held: Sequence[str] | None,
) -> Iterator[Conflict]:
    """Yield what is in the way of rows.

    They lack a value that live demands, or have one that live has already.

    Args:
        target: a table that live has.
        backup, live: the same, as either side defines it.
        held: the columns of live's rows, where the case keeps some.
    """
    for column in live.columns:
        if not column.nullable and not column.generated:
            yield from _lacking(target, column)
        was = backup.column(column.name)
        if was is not None and column.name in target.columns:
            strange = not_of_type(was, column, target.field(column.name))
            if strange:
                yield strange, f"it holds no {column.type} in column {column.name}, as live does"
    if held is None:
        return
    kept = set(target.columns) & set(held)
    for key in live.keys:
        if key.columns != target.key and set(key.columns) <= kept:
            yield _taken(target, key.columns, held)


def _lacking(target: Target, column: Column) -> Iterator[Conflict]:
    """Rows that have no value in a column which may not be empty."""
    name = column.name
    if name in target.columns:
        yield (
            f"{target.field(name)} IS NULL",
            f"live demands a value in column {name}, and the row has none",
        )
    elif column.default is None and not column.identity:
        yield "true", f"live demands a value in its new column {name}"


def _taken(
    target: Target,
    key: Sequence[str],
    held: Sequence[str],
) -> Conflict:
    """Rows under whose unique values live has another."""
    same = [f"l.f{held.index(c)} = {target.field(c)}" for c in key]
    there = f"SELECT 1 FROM rows.live_{target.number} l WHERE {' AND '.join(same)}"
    reason = f"live has another row with the same {', '.join(key)}"
    return f"EXISTS ({there})", reason
