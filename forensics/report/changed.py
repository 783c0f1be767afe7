"""Rows that stand under the same key and hold other values: what each held before, and holds now.

Some of each table in the report, more of them in the workbook; how many more there are is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from forensics.masking import Mask
from forensics.model import TableName, TableResult, that_count
from forensics.report.cells import Read, number, readers
from forensics.report.results import Results

ROWS = 3  # of each table in the report
TABLES = 12  # in the report
SHEET = 1_000  # of each table in the workbook

Values = tuple[str | None, ...]
Cast = Callable[[str | None], Any]


@dataclass(frozen=True)
class Change:
    """A value that is another one now: of which row and column, before, after.

    A row has a number, for keys may be masked.
    """

    row: int
    key: str
    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ChangedTable:
    """Some changed rows of a table.

    Attributes:
        name: the table.
        rows: how many changed.
        shown: how many of them are here.
        changes: theirs, row by row.
        readers: by column, how its texts are read as numbers or times.
        numbered: whether a row's key is a number.
    """

    name: TableName
    rows: int
    shown: int = 0
    changes: tuple[Change, ...] = ()
    readers: Mapping[str, Read] = field(default_factory=dict, compare=False)
    numbered: bool = False

    def first(self, rows: int) -> ChangedTable:
        """The same with no more than so many rows."""
        numbers = list(dict.fromkeys(change.row for change in self.changes))
        wanted = set(numbers[:rows])
        changes = tuple(c for c in self.changes if c.row in wanted)
        return replace(self, shown=len(wanted), changes=changes)

    @property
    def more(self) -> int:
        """How many changed rows are not here."""
        return self.rows - self.shown


def changed_tables(case: Results, mask: Mask) -> tuple[ChangedTable, ...]:
    """Return changed rows by table, those with the most first.

    Args:
        case: what was found.
        mask: what of a row is shown.
    """
    hit = [result for result in that_count(case.results) if result.changed]
    hit.sort(key=lambda result: (-(result.changed or 0), result.name))
    found = []
    for result in hit:
        found.append(_changed(case, result, mask))
    return tuple(found)


def _changed(case: Results, result: TableResult, mask: Mask) -> ChangedTable:
    before = _rows(case, result, "backup")
    after = dict(_rows(case, result, "live"))
    show = mask.columns(result.name, tuple(dict.fromkeys((*result.key, *result.columns))))
    casts = {column: _casts(case, result.name, column) for column in result.columns}
    shown, changes = 0, []
    for pair, old in before:
        new = after.get(pair)
        if new is None:
            continue
        key = ", ".join(show[column](old[column]) or "NULL" for column in result.key)
        shown += 1
        for column in result.columns:
            if not _equal(casts[column], old[column], new[column]):
                told = show[column](old[column]), show[column](new[column])
                changes.append(Change(pair, key, column, *told))
    read = readers(case.catalogs[0], result.name)
    numbered = len(result.key) == 1 and read.get(result.key[0]) is number
    rows = result.changed or 0
    return ChangedTable(result.name, rows, shown, tuple(changes), read, numbered)


def _rows(
    case: Results, result: TableResult, side: str
) -> Iterator[tuple[int, dict[str, str | None]]]:
    """The first changed rows of one side, by their number, which both sides share."""
    names = case.store.columns(result.name, side)

    def rows() -> Iterator[tuple[int, dict[str, str | None]]]:
        for batch in case.store.batches(result.name, side, ("changed",)):
            some = batch.slice(0, SHEET)
            values = [column.to_pylist() for column in some.columns[: len(names) + 1]]
            for pair, *row in zip(*values, strict=True):
                yield pair, dict(zip(names, row, strict=True))

    return islice(rows(), SHEET)


def _casts(case: Results, name: TableName, column: str) -> tuple[Cast, Cast] | None:
    """How a column’s values were written to be compared, where its type changed."""
    from forensics.compare.casts import casts_of_column

    found = casts_of_column(case.catalogs, name, column)
    if found is None:
        return None
    return _one(found[0]), _one(found[1])


def _one(cast: Callable[[Any], Any]) -> Cast:
    """A cast of columns, for one value."""
    import pyarrow as pa

    from forensics.evidence.copytext import encode_field

    def written(value: str | None) -> Any:
        fields = pa.array([encode_field(value)], pa.large_string())
        return cast(fields).to_pylist()[0]

    return written


def _equal(casts: tuple[Cast, Cast] | None, old: str | None, new: str | None) -> bool:
    if old == new:
        return True
    if casts is None or old is None or new is None:
        return False
    return bool(casts[0](old) == casts[1](new))
