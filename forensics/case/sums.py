"""Sums over a comparison's tables, and what of them is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.model import TableResult, that_count

_SUMMED = ("backup_rows", "missing", "added", "changed", "unchanged")


def totals(results: Sequence[TableResult]) -> dict[str, int | None]:
    """Sums over all tables that count; None where one that failed has a part in one.

    Rows of tables that only live has count as added.

    Args:
        results: what was found of each table.
    """
    sums: dict[str, int | None] = dict(counted(results))
    for result in that_count(results):
        if result.state != "failed":
            continue
        for name in _SUMMED:
            if getattr(result, name) is None:
                sums[name] = None
    return sums


def counted(results: Sequence[TableResult]) -> dict[str, int]:
    """Sums over what was compared.

    Args:
        results: what was found of each table.
    """
    sums = dict.fromkeys(_SUMMED, 0)
    counting = that_count(results)
    for result in counting:
        for name, number in _parts(result):
            sums[name] += number
    return {"tables": len(counting), **sums}


def _parts(result: TableResult) -> Iterator[tuple[str, int]]:
    for name in _SUMMED:
        number = getattr(result, name)
        if number and (result.state != "new" or name == "added"):
            yield name, number
