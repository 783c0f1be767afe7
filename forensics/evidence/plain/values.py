"""What the columns of a dump can hold, as it defines them itself.

Live's definitions are no measure: a type may have been changed since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from forensics.evidence.columns import Check
from forensics.evidence.elements import check_of
from forensics.evidence.plain.index import Data
from forensics.model import Catalog, Column, Table, TableName

_MORE_LABELS = re.compile(r"ALTER\s+TYPE\b.*\b(?:ADD|RENAME)\s+VALUE\b", re.I | re.S)
_RETYPES = re.compile(r"ALTER\s+TABLE\b.*\bTYPE\b", re.I | re.S)
_SPELLS_MOMENTS = re.compile(r"SET\s+(?:SESSION\s+|LOCAL\s+)?DATESTYLE\b", re.I)


class Values:
    """Checks for the rows of a dump.

    Args:
        catalog: what the dump defines.
        statements: the dump's.
        by_pg_dump: whether pg_dump wrote it.
    """

    def __init__(self, catalog: Catalog, statements: Iterable[str], *, by_pg_dump: bool) -> None:
        self._catalog = catalog
        self._labels = catalog.enums
        self._as_written = by_pg_dump
        self._retyped = False
        for statement in statements:
            if _MORE_LABELS.match(statement):
                self._labels = {}
            elif _SPELLS_MOMENTS.match(statement):
                self._as_written = False
            elif _RETYPES.match(statement):
                self._retyped = True
        self._of_table = cache(self._checks)

    def of(self, data: Data) -> Mapping[str, tuple[str, Check]]:
        """Return the checks of a run of rows in a plain dump, by column."""
        return self.checks(data.table, usual=data.usual)

    def checks(self, table: TableName, *, usual: bool = True) -> Mapping[str, tuple[str, Check]]:
        """Return, by column of a table, its type and what tells values that it cannot hold.

        Args:
            usual: whether its rows are written as pg_dump writes them.
        """
        return self._of_table(table, self._as_written and usual)

    def _checks(self, name: TableName, as_written: bool) -> Mapping[str, tuple[str, Check]]:
        table = self._catalog.tables.get(name, Table(name))
        found = {}
        if not self._retyped:
            for column in table.columns:
                if check := self._check(column, as_written):
                    found[column.name] = (column.type, check)
        return found

    def _check(self, column: Column, as_written: bool) -> Check | None:
        type_name = column.type
        seen: set[str] = set()
        while type_name in self._catalog.domains and type_name not in seen:
            seen.add(type_name)
            type_name = self._catalog.domains[type_name]
        return check_of(type_name, self._labels, as_written=as_written)
