"""What is gone though no row is missing: other rows under old keys, overwritten links, values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.loss.reused import used_again
from forensics.model import Overwritten, TableName
from forensics.store import Store
from forensics.text import listed, plural

_NAMED = 3


@dataclass(frozen=True)
class Others:
    """What is gone though its key is not: other rows under it, and links that say another.

    Attributes:
        reused: the tables whose keys were used again.
        overwritten: by junction table, how many of its links.
        destroyed: the columns whose values one pattern destroyed.
    """

    reused: tuple[TableName, ...]
    overwritten: Mapping[TableName, int]
    destroyed: tuple[Overwritten, ...] = ()

    @property
    def tables(self) -> set[TableName]:
        """The tables that are not intact, whatever their counts say."""
        return {*self.reused, *self.overwritten, *(entry.name for entry in self.destroyed)}

    @property
    def sentences(self) -> list[str]:
        """What is to be said of it."""
        said = []
        if self.reused:
            said.append(
                f"Keys of {_named(self.reused)} were used again: "
                "other rows than the backup's stand under them."
            )
        links = sum(self.overwritten.values())
        if links:
            said.append(
                f"{links:,} {plural(links, 'link')} of {_named(tuple(self.overwritten))} "
                "that no row misses are gone all the same."
            )
        if self.destroyed:
            columns = [f"{entry.name}.{entry.column}" for entry in self.destroyed]
            values = sum(entry.lost for entry in self.destroyed)
            verb = "was" if values == 1 else "were"
            said.append(
                f"{values:,} {plural(values, 'value')} of {_named(columns)} "
                f"{verb} overwritten by one pattern each."
            )
        return said


def others(store: Store) -> Others:
    """What is gone of a case though its key is not."""
    overwritten = {}
    entries: Sequence[Mapping[str, Any]] = (store.get("loss") or {}).get("junctions", ())
    for entry in entries:
        if entry.get("overwritten"):
            overwritten[TableName(entry["schema"], entry["table"])] = entry["overwritten"]
    destroyed = [entry for entry in store.overwritten() or () if entry.destroyed]
    return Others(tuple(used_again(store)), overwritten, tuple(destroyed))


def _named(names: Sequence[object]) -> str:
    shown = listed([str(name) for name in names[:_NAMED]])
    if len(names) > _NAMED:
        shown += " and others"
    return shown
