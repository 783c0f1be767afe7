"""Missing links that live would refuse, by a key or a constraint."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.loss.columns import not_of_type
from forensics.loss.ends import turned_ends
from forensics.loss.junctions import Junction
from forensics.loss.missing import MissingRows
from forensics.loss.sql import alike, literal, literals, numbered, prefixed, present, same
from forensics.model import Column, Key, Parent, Table


class Conflicts:
    """Finds the missing rows that live would refuse.

    By a unique key, by NOT NULL, or by a label that an enum lost.

    Args:
        missing: the missing rows.
        junction: their table.

    Attributes:
        new_keys: keys that live alone has, with their fields: rows that come back may
            share one.
    """

    def __init__(self, missing: MissingRows, junction: Junction) -> None:
        self._missing = missing
        self._work = missing.work
        self._junction = junction
        self._found: list[str] = []
        self.new_keys: list[tuple[Key, list[str]]] = []

    def run(self) -> str | None:
        """Return a working table (pair, violates, live_pair), or None if nothing collides.

        It has one row a missing row that does.
        """
        live = self._work.live.catalog.tables.get(self._missing.name)
        if live is None:
            return None
        if self._work.table("live", live.name) is None:
            self._refuse("true", f"{live.kind} {live.name} of the same name")
        else:
            for key in live.keys:
                self._check_key(live, key)
            for column in live.columns:
                self._check_column(column)
            for end in turned_ends(self._work, self._junction.parents, live):
                self._refuse("true", f"the foreign key of live: {end.text}")
            for parent in self._junction.parents:
                self._check_other_keys(live, parent)
        if not self._found:
            return None
        union = " UNION ALL ".join(f"SELECT * FROM {table}" for table in self._found)
        return self._work.temp(
            f"""
            SELECT pair, min(violates) AS violates,
                   arg_min(live_pair, violates) AS live_pair
              FROM ({union})
             GROUP BY pair
            """
        )

    def _refuse(self, test: str, violates: str) -> None:
        """Keep the rows `m` that pass a test as refused."""
        where = "" if test == "true" else f" WHERE {test}"
        table = self._work.temp(
            f"""
            SELECT m.pair, {literal(violates)} AS violates, NULL::BIGINT AS live_pair
              FROM {self._missing.relation} m{where}
            """
        )
        self._found.append(table)

    # --- keys -------------------------------------------------------------------------------

    def _check_key(self, live: Table, key: Key) -> None:
        """Rows whose key another row of live has."""
        fields = self._missing.fields(key.columns)
        if fields is None:
            return  # a column that live added has no value in the backup's rows
        ours = prefixed("m", fields)
        rows = self._rows_with(key)
        if key.nulls_distinct:
            whole, on = present(ours), same(ours, rows.fields)
        else:
            whole, on = "true", alike(ours, rows.fields)
        table = self._work.temp(
            f"""
            SELECT m.pair, {literal(key.name)} AS violates, {rows.pair} AS live_pair
              FROM {self._missing.relation} m JOIN {rows.relation} l ON {on}
             WHERE {whole}
             GROUP BY m.pair
            """
        )
        self._found.append(table)
        if not self._held(key):
            self.new_keys.append((key, fields))

    def _held(self, key: Key) -> bool:
        """Whether the backup had a key of live too."""
        for other in self._missing.table.keys:
            if set(other.columns) != set(key.columns):
                continue
            if other.nulls_distinct == key.nulls_distinct:
                return True
        return False

    def _rows_with(self, key: Key) -> _LiveRows:
        work, name = self._work, self._missing.name
        kept = work.kept("live", name)
        compared = work.results[name].columns
        is_known = self._held(key) and not self._missing.translated
        if kept and is_known and set(key.columns) <= set(compared):
            # Rows that are the same on both sides kept their key, and the backup had it
            # once only.
            fields = work.fields("live", name, key.columns) or []
            return _LiveRows(kept, prefixed("l", fields), "min(l.pair)")
        rows = work.read("live", name, key.columns)
        return _LiveRows(rows, numbered("l.c", len(key.columns)), "NULL::BIGINT")

    def _check_other_keys(self, live: Table, parent: Parent) -> None:
        """Rows that name a parent by the key that it had, where live asks for a new one."""
        fields = self._missing.fields(parent.columns) or []
        now = self._work.live_name(parent.name)
        for key in live.foreign_keys:
            if key.columns != parent.columns or not fields or not key.parent_columns:
                continue
            if parent not in self._work.rekeyed and (parent.when or key.parent != now):
                continue
            if key.parent_columns != self._work.live_key(parent):
                self._refuse(present(prefixed("m", fields)), key.name)

    # --- columns ----------------------------------------------------------------------------

    def _check_column(self, column: Column) -> None:
        """Rows whose value a column of live does not take."""
        field = self._work.field("backup", self._missing.name, column.name)
        if field is None:
            if not column.nullable and not _fills_itself(column):
                self._refuse("true", f"NOT NULL of {column.name}, which the backup does not have")
            return
        was = self._missing.table.column(column.name)
        if not column.nullable and was is not None and was.nullable:
            self._refuse(f"m.{field} IS NULL", f"NOT NULL of {column.name}")
        self._check_type(was, column, f"m.{field}")
        labels = self._work.live.catalog.enums.get(column.type)
        former = self._work.backup.catalog.enums.get(was.type if was else "")
        if labels is not None and labels != former:
            allowed = literals(labels) or "NULL"
            self._refuse(f"m.{field} NOT IN ({allowed})", f"labels of {column.type}")

    def _check_type(self, was: Column | None, column: Column, field: str) -> None:
        """Rows whose value is none of the type that a column has in live."""
        # What names a parent's row is judged by the keys that this has now.
        named = any(column.name in parent.columns for parent in self._junction.parents)
        strange = None if was is None or named else not_of_type(was, column, field)
        if strange:
            self._refuse(strange, f"type {column.type} of {column.name}")


@dataclass(frozen=True)
class _LiveRows:
    """Rows `l` of live that may hold a key, its fields, and what tells which does."""

    relation: str
    fields: list[str]
    pair: str


def _fills_itself(column: Column) -> bool:
    return column.default is not None or bool(column.generated or column.identity)
