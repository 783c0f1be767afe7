"""Missing links where the rows themselves went: into a table under another name, or a family.

That a table was renamed is a finding of the comparison; what the links are is read from it,
so that both say the same. So it is with rows that a table of the same family holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from forensics.loss.columns import stores
from forensics.loss.ends import turned_ends
from forensics.loss.junctions import Junction
from forensics.loss.missing import MissingRows, missing_rows
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
    if turned_ends(work, junction.parents, table):
        return  # equal numbers mean other rows
    rows = work.read("live", table.name, columns)
    theirs = numbered("l.c", len(columns))
    on = same(prefixed("m", ours), theirs)
    # Where the keys of the parents were rewritten, the links may say the old ones still.
    found = []
    for relation in dict.fromkeys((missing.relation, _as_they_were(missing))):
        found.append(f"SELECT m.pair FROM {relation} m SEMI JOIN {rows} l ON {on}")
    matches = work.temp(f"SELECT pair, 0 AS spot FROM ({' UNION '.join(found)})")
    holders: dict[Parent, str] = {}
    for parent in junction.parents:
        if parent.when is None and set(parent.columns) <= set(columns):
            places = [f"c{columns.index(column)}" for column in parent.columns]
            holders[parent] = work.temp(f"SELECT DISTINCT {renamed(places, 'k')} FROM {rows}")
    has = tuple(column.name for column in table.columns)
    yield Found(table.name, None, matches, holders, False, has)


def _as_they_were(missing: MissingRows) -> str:
    was = missing_rows(missing.work, missing.name)
    return was.relation if was else missing.relation


def in_family(missing: MissingRows) -> Iterator[Found]:
    """Yield which rows other tables of the family by inheritance hold."""
    work = missing.work
    for name, pairs in work.moved_rows.get(missing.name, ()):
        columns = tuple(column.name for column in work.live.catalog.tables[name].columns)
        matches = work.temp(f"SELECT pair, 0 AS spot FROM {pairs}")
        yield Found(name, None, matches, {}, False, columns)


def _by_another_name(missing: MissingRows) -> Table | None:
    work = missing.work
    for finding in work.store.get("findings") or ():
        if finding["kind"] != _KIND or finding["name"] != missing.name._asdict():
            continue
        for name in work.live.catalog.tables:
            if str(name) == finding["other"]:
                return work.table("live", name)
    return None
