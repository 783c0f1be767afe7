"""Overwritten references to rows that stand under other keys now: they follow the row, too.

What stood in a column names a row of the backup. Where live holds that row under another key, the
reference returns with that key; where it does not, the reference is blocked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from forensics.loss.reused import Reused, keys_now, never_held, new_keys, reason
from forensics.loss.sql import literal, present, same
from forensics.model import TableName
from forensics.recovery.choose.reused import Ends
from forensics.recovery.choose.selection import Selection
from forensics.recovery.choose.targets import Link

_IN_PART = "its key has several columns, and only some of them were overwritten"


def follow_values(
    selection: Selection,
    name: TableName,
    number: int,
    columns: Sequence[tuple[str, int]],
    links: Sequence[Link],
) -> None:
    """Make `values_N`: the backup's rows of a table that changed, in the keys of today.

    Args:
        selection: what reads the case.
        name: the table.
        number: its number in the case.
        columns: those of which values come back, and their places.
        links: the foreign keys that they are part of.
    """
    ends = Ends(selection.store)
    places = dict(columns)
    joins, now = "", dict[int, str]()
    for at, link in enumerate(_links(ends, name, places, links)):
        parent = ends.parent(link.parent)
        if parent is not None:
            table = f"now_values_{number}_{at}"
            joins += _follow(selection, number, link, parent, places, table, now)
    listing = []
    for place in range(len(selection.store.columns(name, "backup"))):
        listing.append(f"{now.get(place, f'b.f{place}')} AS f{place}")
    selection.ask(
        f"CREATE OR REPLACE TEMP TABLE values_{number} AS SELECT b.pair, {', '.join(listing)} "
        f"FROM rows.backup_{number} b{joins} WHERE b.state = 'changed'"
    )


def _links(
    ends: Ends, name: TableName, places: Mapping[str, int], links: Sequence[Link]
) -> Iterator[Link]:
    """Yield the links to follow, each column's once."""
    seen: set[str] = set()
    for link in links:
        if seen.isdisjoint(link.columns):
            seen.update(link.columns)
            yield link
    for end in ends.undeclared(name):
        if end.columns[0] in places and end.columns[0] not in seen:
            yield Link(end.columns, end.name, end.parent_columns, declared=False)


def _follow(
    selection: Selection,
    number: int,
    link: Link,
    parent: Reused,
    places: Mapping[str, int],
    table: str,
    now: dict[int, str],
) -> str:
    """Block the references that cannot follow; return the join for the others."""
    known = [places[column] for column in link.columns if column in places]
    fields = [f"b.f{place}" for place in known]
    _block_strangers(selection, number, link, parent, known)
    keys = _keys(selection, link, parent)
    if keys is None and not parent.again:
        return ""
    if len(known) < len(link.columns) or keys is None:
        why = _IN_PART if len(known) < len(link.columns) else reason(link.parent)
        _block_all(selection, number, known, present(fields), why)
        return ""
    selection.ask(f"CREATE OR REPLACE TEMP TABLE {table} AS {keys}")
    on = same(fields, [f"{table}.k{at}" for at in range(len(fields))])
    gone = f"EXISTS (SELECT 1 FROM {table} WHERE {on} AND n0 IS NULL)"
    _block_all(selection, number, known, gone, reason(link.parent))
    for at, place in enumerate(known):
        now[place] = f"coalesce({table}.n{at}, b.f{place})"
    return f" LEFT JOIN {table} ON {on}"


def _block_strangers(
    selection: Selection, number: int, link: Link, parent: Reused, known: Sequence[int]
) -> None:
    """Block references to what the backup does not hold, and live does since."""
    if parent.whole or not selection.has(f"rows.live_{parent.number}"):
        return
    fields = [f"b.f{place}" for place in known]
    new = new_keys(selection.store, parent, link.parent_columns, fields)
    if new:
        _block_all(selection, number, known, new, never_held(link.parent))


def _keys(selection: Selection, link: Link, parent: Reused) -> str | None:
    """The query for what became of a parent's keys; None where nothing did, or it is not known."""
    if parent.whole:
        return None
    return keys_now(selection.store, parent, link.parent_columns, link.parent_columns)


def _block_all(
    selection: Selection, number: int, places: Sequence[int], condition: str, why: str
) -> None:
    for place in places:
        block(selection, number, place, condition, why)


def block(selection: Selection, number: int, place: int, condition: str, why: str) -> None:
    """Block the overwritten values of a column for which a condition on the row `b` holds."""
    selection.ask(
        f"INSERT INTO blocked_values_{number} SELECT o.pair, o.place, {literal(why)} "
        f"FROM rows.overwritten_{number} o JOIN rows.backup_{number} b ON b.pair = o.pair "
        f"WHERE o.place = {place} AND b.state = 'changed' AND {condition} AND NOT EXISTS "
        f"(SELECT 1 FROM blocked_values_{number} x WHERE x.pair = o.pair AND x.place = o.place)"
    )
