"""Whether the constraints of the tables that were written to hold, and are known to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from forensics.recovery.queries import filled
from forensics.recovery.rehearse.session import Session, one, run
from forensics.recovery.write.sqltext import array, listed


class Constraints:
    """The constraints of some tables. Made before the recovery: it keeps which were invalid."""

    def __init__(
        self,
        session: Session,
        tables: Sequence[str],
        unvalidated: Collection[str],
    ) -> None:
        """Keep which constraints are not valid.

        Args:
            session: of the copy of live.
            tables: as SQL.
            unvalidated: constraints that the backup had not validated either.
        """
        self._session, self._tables = session, tables
        self._unvalidated = unvalidated
        self._before = self._invalid()

    def broken(self) -> list[str]:
        """What does not hold now and was not so before, in words."""
        if not self._tables:
            return []
        wrong = sorted(self._invalid() - self._before)
        return [*wrong, *self._without_parent()]

    def _invalid(self) -> set[str]:
        question = filled("rehearse", "invalid", tables=array(self._tables))
        there = run(self._session, question)
        return {words for name, words in there if name not in self._unvalidated}

    def _without_parent(self) -> Iterator[str]:
        """Rows of the tables that refer to no row, though a valid foreign key says they do."""
        question = filled("rehearse", "foreign_keys", tables=array(self._tables))
        for found in run(self._session, question).fetchall():
            child, parent, whole, parent_whole, columns, parent_columns = found
            same, named = [], []
            for column, key in zip(columns, parent_columns, strict=True):
                field = f"c.{listed([column])}"
                same.append(f"p.{listed([key])} = {field}")
                named.append(f"{field} IS NOT NULL")
            orphans = filled(
                "rehearse",
                "no_parent",
                child=_rows(child, whole),
                parent=_rows(parent, parent_whole),
                filled=" AND ".join(named),
                same=" AND ".join(same),
            )
            rows = one(self._session, orphans)
            if rows:
                yield f"{rows} rows of {child} refer to no row of {parent}"


def _rows(table: str, whole: bool) -> str:
    """A table as a FROM item: with its partitions, without what inherits from it."""
    if whole:
        return table
    return f"ONLY {table}"
