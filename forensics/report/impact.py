"""What the loss means in the product’s words: whose rows are hit, and who stands behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from forensics.text import counted, listed

if TYPE_CHECKING:
    from forensics.model import TableName, TableResult
    from forensics.report.document import Document, Junction, ParentLoss, Row

LINES = 6  # of parents; the evidence has them all
_NAMED = 3  # rows of a parent
_BEHIND = 2  # tables whose rows stand behind a parent’s
_GONE = 6  # tables of which rows are gone

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Hit(NamedTuple):
    """What a parent’s rows lost.

    Attributes:
        who: how many of them, in words.
        lost: what they lost.
        behind: who stands behind them, or nothing.
        parent: the table.
        worst: the rows that lost the most.
    """

    who: str
    lost: str
    behind: str
    parent: ParentLoss
    worst: tuple[Row, ...]


def words(name: TableName) -> str:
    """A table’s name as people say it: hotel_rooms, hotelRooms as hotel rooms."""
    if not _PLAIN.match(name.table):
        return str(name)
    return _CAMEL.sub(" ", name.table).replace("_", " ").strip().lower()


def hits(d: Document) -> tuple[Hit, ...]:
    """Return what parents’ rows lost, those first of which the most did.

    Args:
        d: what the report says.
    """
    found = []
    for junction in d.junctions:
        parent = junction.holder
        if parent and (parent.affected or parent.gone):
            found.append(_hit(d, junction, parent))
    found.sort(key=lambda hit: (-hit.parent.affected, hit.parent.name))
    return tuple(found)


def _hit(d: Document, junction: Junction, parent: ParentLoss) -> Hit:
    others = []
    for other in junction.parents:
        if other.name != parent.name:
            others.append(words(other.name))
    to = f" to {listed(others)}" if others else ""
    lost = f"lost links{to} (`{junction.name}`)"
    if parent.emptied:
        have = "has" if parent.emptied == 1 else "have"
        lost += f"; {parent.emptied:,} {have} none left"
    if parent.gone:
        lost += f"; {parent.gone:,} more {'is' if parent.gone == 1 else 'are'} gone altogether"
    return Hit(_who(parent), lost, _behind(d, junction, parent), parent, parent.worst[:_NAMED])


def _who(parent: ParentLoss) -> str:
    name = words(parent.name)
    live = parent.rows - parent.gone
    if parent.affected == live and live > 1:
        return f"All {live:,} {name}"
    return f"{parent.affected:,} of {live:,} {name}"


def _behind(d: Document, junction: Junction, parent: ParentLoss) -> str:
    """How many rows of other tables belong to the parent’s rows."""
    found = []
    for entry in _reach(d, junction):
        source = entry["from"]
        direct = len(entry["path"]) == 2
        if direct and entry["rows"] and source["table"] == parent.name.table:
            found.append(entry)
    found.sort(key=lambda entry: -entry["rows"])
    said = []
    for entry in found[:_BEHIND]:
        name = type(parent.name)(entry["schema"], entry["table"])
        said.append(f"{entry['rows']:,} of {entry['of']:,} {words(name)}")
    if not said:
        return ""
    return f"Behind them: {listed(said)}."


def _reach(d: Document, junction: Junction) -> Iterator[Mapping[str, Any]]:
    for entry in (d.loss or {}).get("junctions", ()):
        if (entry["schema"], entry["table"]) == tuple(junction.result.name):
            yield from entry.get("reach") or ()


def gone(d: Document) -> str:
    """Rows of the other tables that are gone themselves, in words; nothing where none are.

    Args:
        d: what the report says.
    """
    found: list[TableResult] = []
    for result in d.hit:
        if result.missing and not result.junction:
            found.append(result)
    said = [f"{words(result.name)} ({result.missing:,})" for result in found[:_GONE]]
    if len(found) > _GONE:
        said.append(f"rows of {counted(len(found) - _GONE, 'more table')}")
    return listed(said)


def written_over(d: Document) -> str:
    """Columns whose values were destroyed, in words; nothing where none were.

    Args:
        d: what the report says.
    """
    said = []
    for entry in d.patterns:
        if entry.destroyed:
            said.append(f"`{entry.name}.{entry.column}` ({counted(entry.lost, 'value')})")
    return listed(said)
