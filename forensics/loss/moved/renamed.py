"""Missing links in the table that a dropped junction table is called by now.

That it was renamed is a finding of the comparison; what the links are is read from it, so
that both say the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from forensics.loss.columns import stores
from forensics.loss.junctions import Junction
from forensics.loss.missing import MissingRows
from forensics.loss.moved.place import Found
from forensics.loss.sql import numbered, prefixed, renamed, same
from forensics.model import Parent, Table

_KIND = "renamed table"


def in_renamed(missing: MissingRows, junction: Junction) -> Iterator[Found]:
    """Yield what the table holds that the comparison found a dropped one to be now."""
    work, columns = missing.work, junction.link_columns
    table = _by_another_name(missing)
    ours = missing.fields(columns)
    if table is None or ours is None or not stores(table, columns):
        return
    if not work.holds("live", table.name):
        return
    rows = work.read("live", table.name, columns)
    theirs = numbered("l.c", len(columns))
    matches = work.temp(
        f"""
        SELECT m.pair, 0 AS spot
          FROM {missing.relation} m SEMI JOIN {rows} l ON {same(prefixed("m", ours), theirs)}
        """
    )
    holders: dict[Parent, str] = {}
    for parent in junction.parents:
        if parent.when is None and set(parent.columns) <= set(columns):
            places = [f"c{columns.index(column)}" for column in parent.columns]
            holders[parent] = work.temp(f"SELECT DISTINCT {renamed(places, 'k')} FROM {rows}")
    has = tuple(column.name for column in table.columns)
    yield Found(table.name, None, matches, holders, False, has)


def _by_another_name(missing: MissingRows) -> Table | None:
    work = missing.work
    for finding in work.store.get("findings") or ():
        if finding["kind"] != _KIND or finding["name"] != missing.name._asdict():
            continue
        for name in work.live.catalog.tables:
            if str(name) == finding["other"]:
                return work.table("live", name)
    return None
