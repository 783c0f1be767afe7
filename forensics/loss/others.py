"""What is gone though no row is missing: other rows under old keys, and overwritten links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.loss.reused import used_again
from forensics.model import TableName
from forensics.store import Store
from forensics.text import listed, plural

_NAMED = 3


@dataclass(frozen=True)
class Others:
    """What is gone though its key is not: other rows under it, and links that say another.

    Attributes:
        reused: the tables whose keys were used again.
        overwritten: by junction table, how many of its links.
    """

    reused: tuple[TableName, ...]
    overwritten: Mapping[TableName, int]

    @property
    def tables(self) -> set[TableName]:
        """The tables that are not intact, whatever their counts say."""
        return {*self.reused, *self.overwritten}

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
        return said


def others(store: Store) -> Others:
    """What is gone of a case though its key is not."""
    overwritten = {}
    entries: Sequence[Mapping[str, Any]] = (store.get("loss") or {}).get("junctions", ())
    for entry in entries:
        if entry.get("overwritten"):
            overwritten[TableName(entry["schema"], entry["table"])] = entry["overwritten"]
    return Others(tuple(used_again(store)), overwritten)


def _named(names: Sequence[TableName]) -> str:
    shown = listed([str(name) for name in names[:_NAMED]])
    if len(names) > _NAMED:
        shown += " and others"
    return shown
