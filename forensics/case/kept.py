"""The rows of one table that a case keeps: those that are missing or changed, and what is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forensics.case.frames import place
from forensics.case.held import Held
from forensics.case.junctions import reason
from forensics.case.tables import column_frame
from forensics.case.ways import entry_of
from forensics.model import TableName
from forensics.store.casefile import has_table

if TYPE_CHECKING:
    import pandas as pd

_ORDER = "ORDER BY m.state = 'changed', m.pair"
_LINK = "l.class, l.blocked_by, l.violates, l.place, coalesce(l.superseded_by, l.violates_pair)"
_NO_LINK = "NULL, NULL, NULL, NULL, NULL"


class Kept:
    """The kept rows of a table's backup side. Conditions name them `m`.

    Args:
        case: whose table it is.
        name: the table.
    """

    def __init__(self, case: Held, name: TableName) -> None:
        self._store = case.store
        self._name = name
        self._number = case.store.number(name)
        self.columns = case.store.columns(name, "backup")
        entry = entry_of(case, name)
        self._places = [place(moved) for moved in entry["moved_to"]] if entry else []

    def field(self, column: str) -> str:
        """What a column is called in a condition."""
        return f"m.f{self.columns.index(column)}"

    def amount(self, where: str, values: Sequence[str]) -> int:
        """How many rows there are of which a condition holds."""
        asked = f"SELECT count(*) FROM {self._rows('backup')} m WHERE {where}"
        with self._store.query() as cursor:
            [(number,)] = cursor.execute(asked, list(values)).fetchall()
        return int(number)

    def parted(self, columns: Sequence[str]) -> pd.DataFrame:
        """Count `missing` and `changed` rows by what some columns hold, the most first."""
        fields = [self.field(column) for column in columns]
        there = " AND ".join(f"{field} IS NOT NULL" for field in fields)
        named = ", ".join(fields)
        with self._store.query() as cursor:
            found = cursor.sql(
                f"SELECT {named}, count(*) FILTER (state = 'missing') AS missing, "
                f"count(*) FILTER (state = 'changed') AS changed FROM {self._rows('backup')} m "
                f"WHERE {there} GROUP BY {named} ORDER BY missing DESC, changed DESC, {named}"
            ).to_arrow_table()
        return column_frame(found, [*columns, "missing", "changed"])

    def frame(self, where: str, values: Sequence[str], limit: int | None = None) -> pd.DataFrame:
        """Rows of which a condition holds, whole: `pair`, `state`, `class` and `reason` first.

        Args:
            where, values: the condition, and what its marks stand for.
            limit: at most so many.
        """
        import pandas as pd

        most = "" if limit is None else f"LIMIT {int(limit)}"
        facts = ["pair", "state", "class", "reason"]
        fates = pd.DataFrame(self._fates(where, values, most), columns=facts)
        fields = ", ".join(f"m.f{number}" for number in range(len(self.columns)))
        with self._store.query() as cursor:
            found = cursor.sql(
                f"SELECT {fields} FROM {self._rows('backup')} m WHERE {where} {_ORDER} {most}",
                params=list(values),
            ).to_arrow_table()
        return pd.concat([fates, column_frame(found, self.columns)], axis=1)

    def fate(self, pair: int) -> Mapping[str, Any]:
        """What became of a row: `state`, `class`, `reason`, and `beside`.

        The latter is the row of live to be laid beside it: its other half, or the one that has its
        link or its key; None where there is none.
        """
        [found] = self._fates(f"m.pair = {int(pair)}", (), "")
        return found

    def _fates(self, where: str, values: Sequence[str], most: str) -> list[dict[str, Any]]:
        links = f"loss.links_{self._number}"
        facts, joined = _NO_LINK, ""
        with self._store.query() as cursor:
            if has_table(cursor, links):
                facts, joined = _LINK, f"LEFT JOIN {links} l ON l.pair = m.pair"
            rows = cursor.execute(
                f"SELECT m.pair, m.state, {facts} FROM {self._rows('backup')} m {joined} "
                f"WHERE {where} {_ORDER} {most}",
                list(values),
            ).fetchall()
        return list(map(self._fate, rows))

    def _fate(self, row: tuple[Any, ...]) -> dict[str, Any]:
        pair, state, kind, blocked, violates, moved, beside = row
        why = None
        if kind:
            why = reason(kind, blocked, violates, moved, self._places)
        if state == "changed":
            beside = pair
        return {"pair": pair, "state": state, "class": kind, "reason": why, "beside": beside}

    def values(self, side: str, pair: int | None) -> dict[str, Any]:
        """By column, what one row holds; nothing where there is none.

        Args:
            side: "backup" or "live".
            pair: its number.
        """
        columns = self._store.columns(self._name, side)
        with self._store.query() as cursor:
            if pair is None or not columns or not has_table(cursor, self._rows(side)):
                return {}
            fields = ", ".join(f"f{number}" for number in range(len(columns)))
            asked = f"SELECT {fields} FROM {self._rows(side)} WHERE pair = ?"
            found = cursor.execute(asked, [pair]).fetchall()
        for row in found:
            return dict(zip(columns, row, strict=True))
        return {}

    def _rows(self, side: str) -> str:
        return f"rows.{side}_{self._number}"
