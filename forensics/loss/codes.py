"""Links by another key than the primary one: a code, a slug, a number that people know.

Nobody declared them, and the column is not named after the table alone: it has the key's
own name (`grant_code`), or the table's and the key's together (`currency_code`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from forensics.loss.names import family, words
from forensics.model import Catalog, Column, Key, Table

# Names that keys of many tables have, and that say nothing of whose they are.
_ANYBODYS = {"name", "title", "label", "value", "code", "type", "key", "status", "kind", "slug"}
_KINDS = ("text", "uuid")


class Codes:
    """The other keys of a catalogue's tables by which columns may name their rows.

    Args:
        catalog: the backup's.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: dict[tuple[str, ...], list[Table]] = {}
        for table in catalog.roots:
            for key, column in _other_keys(table):
                kind = family(column.type, catalog)
                if kind in _KINDS:
                    last = words(column.name)[-1:]
                    known = self._known.setdefault((kind, *last), [])
                    known.append(_keyed_by(table, key))

    def of_column(self, column: Column, table: Table) -> list[Table]:
        """Other tables that a column may refer to, each keyed by what the column holds."""
        last = words(column.name)[-1:]
        found = []
        for other in self._known.get((family(column.type, self._catalog), *last), ()):
            if other.name != table.name and names_key(column.name, other):
                found.append(other)
        found.sort(key=lambda other: (other.name.schema != table.name.schema, other.name))
        return found


def names_key(column: str, table: Table) -> int:
    """How well a column's name names the key of a table: 2 well, 0 not at all."""
    key = table.primary_key
    if key is None or len(key.columns) != 1:
        return 0
    ours, theirs = words(column), words(key.columns[0])
    if ours == theirs:
        return 0 if _ANYBODYS.issuperset(theirs) else 2
    named = words(table.name.table)
    if ours[-len(theirs) :] != theirs or not named:
        return 0
    lead = ours[: -len(theirs)]
    return 2 if named[-len(lead) :] == lead or lead[-len(named) :] == named else 0


def _other_keys(table: Table) -> Iterator[tuple[Key, Column]]:
    """The unique keys of one column that are no primary key."""
    for key in table.keys:
        column = table.column(key.columns[0])
        if not key.primary and len(key.columns) == 1 and column is not None:
            yield key, column


def _keyed_by(table: Table, key: Key) -> Table:
    """The table as if the key were its primary one."""
    return replace(table, keys=(replace(key, primary=True),))
