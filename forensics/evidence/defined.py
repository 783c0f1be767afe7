"""What a dump's own definitions say for sure: which columns rows can name, and what is lost."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from forensics.evidence.names import folded_parts
from forensics.model import Catalog, TableName

_CHANGES_COLUMNS = re.compile(
    r"\s*ALTER\s+TABLE\b.*?\b(?:RENAME|DROP|ADD)\s+(?!CHECK\b|CONSTRAINT\b|DEFAULT\b|EXCLUDE\b"
    r"|EXPRESSION\b|FOREIGN\b|GENERATED\b|IDENTITY\b|NOT\b|PRIMARY\b|UNIQUE\b)",
    re.I | re.S,
)
_NAME = r'((?:"(?:[^"]|"")+"|[^\s".(]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[^\s".(]+))?)'
_OWNED = re.compile(rf"\s*ALTER TABLE (?:ONLY )?{_NAME} OWNER TO ")
_CREATED = re.compile(
    rf"(?:\s|--[^\n]*\n)*CREATE\s+(?:UNLOGGED\s+|FOREIGN\s+)?TABLE\s+{_NAME}", re.I
)
# Words of servers that were made of PostgreSQL, in definitions that its parser refuses.
_DIALECT = re.compile(
    r"\b(?:APPENDONLY|COLOCAT\w+|DISTKEY|DISTRIBUTED?|ENCODE|ENCODING|FAMILY|INTERLEAVE|LESS\s+THAN"
    r"|ORIENTATION|SORTKEY|SPLIT\s+(?:INTO|AT)|SUBPARTITION|TABLEGROUP|TABLETS)\b"
    r"|(?:CREATE|ALTER)\s+(?:OR\s+REPLACE\s+)?(?:CLIENT|DATA|DIRECTORY|EXTERNAL|MASKING|MODEL"
    r"|PACKAGE|PROFILE|PROTOCOL|QUEUE|RESOURCE|SYNONYM|WORKLOAD)\b",
    re.I,
)
_PARSED = range(10, 19)  # the versions of PostgreSQL whose statements are all read
_HIDES_ROWS = re.compile(
    r"(?<!FOR )\bVALUES\s*\(|\(\d+, '|\bINSERT\s+INTO\b|\bFROM\s+stdin\b|^\\\.", re.I | re.M
)
_NULL = re.compile(r"\s*NULL\b", re.I)
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

    def filled(self, name: TableName) -> frozenset[str]:
        """Return the columns of a table that a server fills in where a row does not name them."""
        table = self._catalog.tables.get(name)
        found: set[str] = set()
        for column in table.columns if table else ():
            default = column.default or "NULL"
            if not column.generated and (column.identity or not _NULL.match(default)):
                found.add(column.name)
        return frozenset(found)


def lost_definitions(
    catalog: Catalog,
    statements: Iterable[str],
    held: Collection[TableName],
    server_version: str | None,
) -> set[TableName]:
    """Return the tables whose rows a dump of pg_dump's holds, and whose definition was damaged.

    A dump may hold rows only, or those of a table that an extension makes.

    Args:
        catalog: what it defines.
        statements: its own.
        held: the tables whose rows it holds.
        server_version: of the server that it is of, where it says that.
    """
    undefined = {name for name in held if name not in catalog.tables}
    version = _major(server_version)
    if not undefined or (version is not None and version > max(_PARSED)):
        return set()
    if any(map(_DIALECT.search, catalog.unparsed)):
        return set()
    if catalog.tables and not catalog.extensions:
        return undefined
    said: set[TableName] = set()
    for pattern, texts in ((_OWNED, statements), (_CREATED, catalog.unparsed)):
        for match in filter(None, map(pattern.match, texts)):
            parts = folded_parts(match[1])
            said.add(TableName(parts[0] if len(parts) > 1 else "public", parts[-1]))
    return undefined & said


def damaged_definitions(catalog: Catalog, *versions: str | None) -> int:
    """Return how many statements of a dump of pg_dump's are none that it wrote, and hide rows.

    What other programs, older ones and newer ones write may be unknown to the parser.

    Args:
        catalog: what it defines.
        versions: of its server and of pg_dump, where it says them.
    """
    if any(_major(version) not in _PARSED for version in versions):
        return 0
    if any(map(_DIALECT.search, catalog.unparsed)):
        return 0
    return sum(_HIDES_ROWS.search(text) is not None for text in catalog.unparsed)


def _major(version: str | None) -> int | None:
    found = re.match(r"\d+", version or "")
    return int(found[0]) if found else None
