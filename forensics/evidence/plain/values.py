"""What the columns of a dump can hold, as it defines them itself.

Live's definitions are no measure: a type may have been changed since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from forensics.evidence.holding import Check, check_of
from forensics.evidence.plain.doubts import BY_PG_DUMP
from forensics.evidence.plain.index import Data, Index
from forensics.model import Catalog, Column, Table, TableName

_MORE_LABELS = re.compile(r"ALTER\s+TYPE\b.*\b(?:ADD|RENAME)\s+VALUE\b", re.I | re.S)
_RETYPES = re.compile(r"ALTER\s+TABLE\b.*\bTYPE\b", re.I | re.S)
_SPELLS_MOMENTS = re.compile(r"SET\s+(?:SESSION\s+|LOCAL\s+)?DATESTYLE\b", re.I)


class Values:
    """Checks for the rows of a dump.

    Args:
        catalog: what the dump defines.
        statements: the dump's.
        part: what stands in it.
    """

    def __init__(self, catalog: Catalog, statements: Iterable[str], part: Index) -> None:
        self._catalog = catalog
        self._labels = catalog.enums
        self._as_written = bool(part.says(BY_PG_DUMP))
        self._retyped = False
        for statement in statements:
            if _MORE_LABELS.match(statement):
                self._labels = {}
            elif _SPELLS_MOMENTS.match(statement):
                self._as_written = False
            elif _RETYPES.match(statement):
                self._retyped = True
        self._of_table = cache(self._checks)

    def checks(self, data: Data) -> Mapping[str, tuple[str, Check]]:
        """Return, by column of a run of rows, its type and what tells values it cannot hold."""
        as_written = self._as_written and (data.copy is None or data.copy.usual)
        return self._of_table(data.table, as_written)

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
