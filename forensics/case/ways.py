"""By whose rows those of a table may be looked at: by its parents', or by none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.case.held import Held
from forensics.loss.junctions import parent_of
from forensics.loss.published import is_known
from forensics.model import ForeignKey, Table, TableName, TableResult

EVERY = "(every row)"


@dataclass(frozen=True)
class Way:
    """A way to part the rows of a table.

    Attributes:
        label: the parent table as people choose it, `EVERY` where rows are not parted.
        key: the columns that name a parent, as the frame of parents calls them.
        ends: how a row names its parent: for each of the ways in which it may, the columns in
            the order of the parent's key, and what else has to hold of the row.
        spread: how the loss spreads over the parent's rows, where it was classified.
    """

    label: str
    key: tuple[str, ...] = ()
    ends: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...] = ()
    spread: Mapping[str, Any] | None = None

    def terms(self, key: Sequence[str]) -> Iterator[dict[str, str]]:
        """Yield what columns hold in rows that name a parent; any of the terms is enough.

        Args:
            key: the parent's key, as text.
        """
        for columns, others in self.ends:
            yield {**dict(zip(columns, key, strict=True)), **others}


def entry_of(case: Held, name: TableName) -> Mapping[str, Any] | None:
    """What the loss says of a junction table; None where it is none or was not classified."""
    if case.store.get("loss") is None:
        return None
    for entry in case.loss["junctions"]:
        if (entry["schema"], entry["table"]) == (name.schema, name.table) and is_known(entry):
            found: Mapping[str, Any] = entry
            return found
    return None


def ways_of(case: Held, result: TableResult) -> list[Way]:
    """Return the ways to look at a table's rows, the one that tells the most first.

    Args:
        case: whose table it is.
        result: what was found of it.
    """
    entry = entry_of(case, result.name)
    if entry is not None and entry["missing"]:
        found = _by_links(entry)
    else:
        found = _by_references(case.catalogs[0].tables.get(result.name))
    return [*found, Way(EVERY)]


def _by_links(entry: Mapping[str, Any]) -> list[Way]:
    """The parents of a junction table; the one with the fewest rows hit has the most links each."""

    def order(spread: Mapping[str, Any]) -> tuple[bool, int]:
        hit = spread["affected"] + spread["gone"]
        return hit == 0, hit

    parents = [parent_of(parent) for parent in entry["parents"]]
    found = []
    for spread in sorted(entry["spread"], key=order):
        name = TableName(spread["schema"], spread["table"])
        ends = []
        for parent in parents:
            if parent.name == name:
                ends.append((parent.columns, dict([parent.when] if parent.when else [])))
        found.append(Way(str(name), tuple(spread["key"]), tuple(ends), spread))
    return found


def _by_references(table: Table | None) -> list[Way]:
    """The tables that a table's rows refer to, as its foreign keys say."""
    if table is None:
        return []
    places = [column.name for column in table.columns]
    keys = sorted(table.foreign_keys, key=lambda key: places.index(key.columns[0]))
    named = [key.parent for key in keys]
    found = {}
    for key in keys:
        label = _label(key, named.count(key.parent) > 1)
        found[label] = Way(label, key.columns, ((key.columns, {}),))
    return list(found.values())


def _label(key: ForeignKey, several: bool) -> str:
    if several:
        return f"{key.parent} by {', '.join(key.columns)}"
    return str(key.parent)
