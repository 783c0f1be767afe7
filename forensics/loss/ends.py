"""Junction tables whose ends changed places: rows equal to the letter, and other links.

A column that named rows of one table names rows of another in live, and both tables were
there before: equal numbers mean other rows. A table is not renamed where that is so, and
one that is there has its links overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.documents import plain
from forensics.loss.columns import stores
from forensics.loss.junctions import Junction, declared_parents, junction_of
from forensics.loss.sql import listed, numbered, renamed, same
from forensics.loss.workspace import Workspace
from forensics.model import Parent, Table, TableName
from forensics.text import counted

KIND = "ends changed places"

_Junctions = Mapping[TableName, tuple[Parent, ...]]


@dataclass(frozen=True)
class Turned:
    """An end whose columns name rows of another table than they did.

    Attributes:
        was: what they named; now: what live says that they name.
    """

    was: Parent
    now: TableName

    @property
    def text(self) -> str:
        """Says it in a few words."""
        columns = ", ".join(self.was.columns)
        return f"{columns} named rows of {self.was.name} and names rows of {self.now}"


def turned_ends(work: Workspace, parents: Sequence[Parent], live: Table) -> list[Turned]:
    """Return the ends that a table of live has turned to another of the old tables.

    Args:
        work: the run's workspace; `renamed` is known.
        parents: what the backup's rows name.
        live: the table that holds them, or rows equal to them.
    """
    known = {work.live_name(name) for name in work.backup.catalog.tables}
    leads = _leads(work, live)
    found = []
    for parent in parents:
        was = work.live_name(parent.name)
        now = leads.get(parent.columns)
        if now is not None and was is not None and now != was and now in known:
            found.append(Turned(parent, now))
    return found


def _leads(work: Workspace, live: Table) -> dict[tuple[str, ...], TableName]:
    """By its columns, which table of live an end of a table names."""
    found = {}
    for parent in (*declared_parents(live), *work.live_junctions.get(live.name, ())):
        found[parent.columns] = parent.name
    return found


# --- what is said of it -------------------------------------------------------------------------


def settle_ends(work: Workspace, found: _Junctions, entries: Sequence[dict[str, Any]]) -> None:
    """Correct the case's findings, and count the links that are overwritten by this.

    Args:
        work: the run's workspace.
        found: the junction tables.
        entries: those of the document; `overwritten` is put into them.

    Raises:
        EvidenceError: live cannot be read.
    """
    kept = []
    for finding in work.store.get("findings") or ():
        kept.append(_corrected(work, found, finding))
    for entry in entries:
        name = TableName(entry["schema"], entry["table"])
        live = work.table("live", name)
        ends = turned_ends(work, found[name], live) if live else []
        if not ends or live is None:
            continue
        junction = junction_of(work.backup.catalog.tables[name], found[name])
        rows = _overwritten(work, junction, live)
        if not rows:
            continue
        entry["overwritten"] = entry.get("overwritten", 0) + rows
        told = _finding(name, name, ends, rows)
        entry["notes"].append(told["text"].rstrip("."))
        if told not in kept:
            kept.append(told)
    work.store.put("findings", kept)


def _corrected(work: Workspace, found: _Junctions, finding: Mapping[str, Any]) -> Mapping[str, Any]:
    """A finding; where it takes a junction table for renamed and its ends say no, another."""
    name = TableName(**finding["name"])
    if finding["kind"] != "renamed table" or name not in found:
        return finding
    for table in work.live.catalog.roots:
        if str(table.name) != finding["other"]:
            continue
        if ends := turned_ends(work, found[name], table):
            return _finding(name, table.name, ends, finding["rows"])
    return finding


def _finding(
    name: TableName, there: TableName, ends: Sequence[Turned], rows: int
) -> dict[str, Any]:
    said = " and ".join(end.text for end in ends)
    place = "in it" if there == name else f"in {there}"
    return {
        "kind": KIND,
        "name": plain(name),
        "text": f"The ends of {name} changed places: {counted(rows, 'row')} {place} "
        f"say other links than they did, since {said}.",
        "other": None if there == name else str(there),
        "rows": rows,
        "of": None,
    }


# --- in a table that is there -------------------------------------------------------------------


def _overwritten(work: Workspace, junction: Junction, live: Table) -> int:
    """How many unchanged rows said a link that live's rows say no longer."""
    link = junction.link_columns
    kept = work.kept("live", live.name)
    fields = work.fields("live", live.name, link)
    if kept is None or not fields or not stores(live, link):
        return 0
    width = len(link)
    there = work.read("live", live.name, link)
    columns = listed(numbered("c", width))
    stood = f"SELECT {columns} FROM {there} EXCEPT ALL SELECT {renamed(fields, 'c')} FROM {kept}"
    holders = _held_by(work, junction, live)
    if holders is None:
        return work.count(f"({stood})")
    on = same(numbered("o.c", width), [f"t.c{link.index(column)}" for column in holders])
    return work.count(f"({stood}) o ANTI JOIN {there} t ON {on}")


def _held_by(work: Workspace, junction: Junction, live: Table) -> list[str] | None:
    """By the link's columns, those of live that name the same tables; None where none do."""
    found: list[str] = []
    for column in _columns_now(work, junction, live):
        if column not in junction.link_columns:
            return None
        found.append(column)
    return found if len(found) == len(junction.link_columns) else None


def _columns_now(work: Workspace, junction: Junction, live: Table) -> Iterator[str]:
    by_table: dict[TableName, tuple[str, ...]] = {}
    for columns, name in _leads(work, live).items():
        by_table.setdefault(name, columns)
    for end in junction.link:
        was = work.live_name(end.parents[0].name)
        if was is not None:
            yield from by_table.get(was, ())
