"""The missing rows themselves, as they may be shown: for the workbook and for the files of the bundle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from forensics.masking import Mask
from forensics.model import TableResult

if TYPE_CHECKING:
    from forensics.case.facade import Case


class MissingRows:
    """One table's missing rows: `columns`, and the rows as tuples of text, NULL as None.

    Args:
        case: an open case.
        result: the table.
        mask: what of a row is shown.
    """

    def __init__(self, case: Case, result: TableResult, mask: Mask) -> None:
        self._case = case
        self.result = result
        self.columns = case.store.columns(result.name, "backup")
        self._show = mask.columns(result.name, self.columns)

    def read(self, limit: int | None = None) -> Iterator[tuple[str | None, ...]]:
        """Yield the rows in the backup's order, in memory that does not grow with their number.

        Args:
            limit: at most so many.
        """
        rows = self._all()
        return islice(rows, limit) if limit is not None else rows

    def _all(self) -> Iterator[tuple[str | None, ...]]:
        show = [self._show[c] for c in self.columns]
        for batch in self._case.store.batches(self.result.name, "backup", ("missing",)):
            for row in zip(
                *(batch.column(i + 1).to_pylist() for i in range(len(show))), strict=True
            ):
                yield tuple(f(v) for f, v in zip(show, row, strict=True))


def with_missing(case: Case, mask: Mask) -> list[MissingRows]:
    """Return the tables of which rows are missing, the largest losses first."""
    hit = sorted((r for r in case.results if r.missing), key=lambda r: (-(r.missing or 0), r.name))
    return [MissingRows(case, r, mask) for r in hit]
