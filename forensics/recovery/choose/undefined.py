"""Dropped tables that the backup holds rows of and does not define, as those of an extension."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from forensics.evidence.ddl import read_catalog
from forensics.model import TableName
from forensics.store import Store
from forensics.text import counted


def undefined(store: Store) -> frozenset[TableName]:
    """The dropped tables that cannot be made from this backup, which defines others.

    A backup that defines none (`pg_dump --data-only`) is another matter: its tables are made
    from what their rows tell.
    """
    dropped = {result.name for result in store.results() if result.state == "dropped"}
    ddl = store.get("ddl") or ()
    if not dropped or not ddl:
        return frozenset()
    defined = _defined(tuple(ddl))
    if not defined:
        return frozenset()
    return frozenset(dropped - defined)


@lru_cache(maxsize=2)
def _defined(ddl: tuple[str, ...]) -> frozenset[TableName]:
    """The tables that statements define; several ask, and a parser reads them for it."""
    return frozenset(read_catalog(ddl).tables)


def explained_undefined(store: Store) -> Iterator[str]:
    """What is to be known of them."""
    names = undefined(store)
    for result in store.results():
        if result.name in names:
            rows = ""
            if result.backup_rows:
                rows = f" Its {counted(result.backup_rows, 'row')} can go back into it then."
            yield (
                f"The backup does not define {result.name}, as it defines no table of an "
                f"extension: it is not made again. CREATE EXTENSION makes it.{rows}"
            )
