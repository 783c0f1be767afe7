"""A table's rows as the kit reads them, to be held against what the server says."""

from __future__ import annotations

from collections import Counter

from forensics.evidence.source import Source
from forensics.model import TableName

Rows = Counter[tuple[str | None, ...]]
Truth = dict[str, Rows]

# By name, the options of pg_dump.
FORMS = {
    "plain": (),
    "inserts": ("--inserts",),
    "column inserts": ("--column-inserts",),
    "batches": ("--rows-per-insert=7",),
    "conflict": ("--inserts", "--on-conflict-do-nothing"),
    "root": ("--load-via-partition-root",),
    "root inserts": ("--load-via-partition-root", "--inserts"),
    "clean": ("--clean", "--if-exists", "--create"),
    "dollars": ("--disable-dollar-quoting",),
    "verbose": ("--verbose",),
    "quoted": ("--quote-all-identifiers",),
    "data only": ("--data-only",),
    "latin1": ("--exclude-table-data=t", "--encoding=LATIN1"),
}


def rows(source: Source, table: str) -> Rows:
    name = TableName("public", table)
    columns = [c.name for c in source.catalog.tables[name].columns if not c.generated]
    return Counter(source.rows_of(name, columns))
