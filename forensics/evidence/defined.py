"""Which columns rows can name, where a dump's own definitions say that for sure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from forensics.model import Catalog, TableName

_CHANGES_COLUMNS = re.compile(
    r"\s*ALTER\s+TABLE\b.*?\b(?:RENAME|DROP|ADD)\s+(?!CHECK\b|CONSTRAINT\b|DEFAULT\b|EXCLUDE\b"
    r"|EXPRESSION\b|FOREIGN\b|GENERATED\b|IDENTITY\b|NOT\b|PRIMARY\b|UNIQUE\b)",
    re.I | re.S,
)
_OID = "oid"  # up to PostgreSQL 11 a column that nobody defined


class DefinedColumns:
    """The columns that a dump defines.

    Args:
        catalog: what it defines.
        statements: its own; one that changes a table's columns may stand behind the rows.
    """

    def __init__(self, catalog: Catalog, statements: Iterable[str]) -> None:
        self._catalog = catalog
        self._sure = not any(map(_CHANGES_COLUMNS.match, statements))

    def of(self, name: TableName) -> frozenset[str] | None:
        """Return what the rows of a table can name, or None where that is not sure."""
        table = self._catalog.tables.get(name)
        if not self._sure or table is None or table.inherits or not table.columns:
            return None
        return frozenset((_OID, *(column.name for column in table.columns)))
