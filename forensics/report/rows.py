"""The missing rows themselves, as they may be shown: for the workbook and for the bundle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from forensics.evidence.fields import decode_field
from forensics.masking import Mask
from forensics.model import TableResult, that_count
from forensics.report.cells import readers
from forensics.report.results import Results
from forensics.store.values import file_of, held, is_mark

Values = tuple[str | None, ...]


class MissingRows:
    """One table's missing rows.

    Args:
        case: what was found.
        result: the table.
        mask: what of a row is shown.

    Attributes:
        columns: their columns, in order.
        readers: by column, how its texts are read as numbers or times.
    """

    def __init__(self, case: Results, result: TableResult, mask: Mask) -> None:
        self.result = result
        self.columns = case.store.columns(result.name, "backup")
        self.readers = readers(case.catalogs[0], result.name)
        self._case = case
        self._show = mask.columns(result.name, self.columns)

    def read(self, limit: int | None = None) -> Iterator[Values]:
        """Yield the rows in the backup's order: texts, NULL as None.

        Memory does not grow with their number.

        Args:
            limit: at most so many.
        """
        rows = self._all()
        if limit is None:
            return rows
        return islice(rows, limit)

    def whole(self, row: Values) -> Values:
        """A row with its long values in it, where what was read stands for them."""
        folder = self._case.store.folder
        if not held(folder):
            return row
        return tuple(_whole(folder, value) for value in row)

    def _all(self) -> Iterator[Values]:
        show = [self._show[column] for column in self.columns]
        batches = self._case.store.batches(self.result.name, "backup", ("missing",))
        for batch in batches:
            # The first column numbers the rows.
            values = [column.to_pylist() for column in batch.columns[1 : len(show) + 1]]
            for row in zip(*values, strict=True):
                yield tuple(f(v) for f, v in zip(show, row, strict=True))


def _whole(folder: Path, value: str | None) -> str | None:
    if value is None or not is_mark(value):
        return value
    path = file_of(folder, value)
    if not path.exists():
        return value
    return decode_field(path.read_bytes().decode("utf-8"))


def with_missing(case: Results, mask: Mask) -> list[MissingRows]:
    """Return the tables of which rows are missing, the largest losses first."""
    hit = [r for r in that_count(case.results) if r.missing]
    hit.sort(key=lambda r: (-(r.missing or 0), r.name))
    return [MissingRows(case, result, mask) for result in hit]
