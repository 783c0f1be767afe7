"""Which rows of a table are missing, where a column of its links is gone from live.

Its rows were held against each other by the columns that are left, and of several that are
equal in those any may be the missing one. The links tell them apart: those that live holds,
by whatever column, are not the missing ones.
"""

from __future__ import annotations

from forensics.loss.junctions import Junction
from forensics.loss.missing import MissingRows
from forensics.loss.moved.search import Search
from forensics.loss.sql import alike, listed, numbered, prefixed, renamed
from forensics.model import TableResult


def may_choose(result: TableResult, junction: Junction) -> bool:
    """Whether it may be left open which rows of a junction table are missing."""
    if result.key or not result.columns:
        return False
    return not set(result.columns).issuperset(junction.link_columns)


def choose_missing(missing: MissingRows, junction: Junction) -> None:
    """Have the case keep the rows as missing whose links live does not hold.

    As many as were missing of each sort are so still. Nothing happens where rows have a key,
    or where all columns of the links were compared.

    Raises:
        EvidenceError: a side cannot be read.
    """
    work, name = missing.work, missing.name
    result = work.results[name]
    if not may_choose(result, junction):
        return
    columns = work.store.columns(name, "backup")
    ours = missing.fields(result.columns)
    kept = work.kept("backup", name)
    if not columns or not ours or not work.holds("backup", name):
        return
    fields = numbered("f", len(columns))
    rows = work.read("backup", name, columns)
    places = renamed(numbered("c", len(columns)), "f")
    every = work.temp(f"SELECT row_number() OVER () AS pair, {places} FROM {rows}")
    search = Search(MissingRows(work, name, every), junction)
    _, moved = search.run()
    held = [f"SELECT pair FROM {table}" for table in (*search.again, moved) if table]
    if not held:
        return
    known = f"pair IN ({' UNION '.join(held)})"
    sort = listed(ours)
    chosen = listed(f"{field} = s.{field}" for field in fields)
    work.run(
        f"""
        UPDATE {kept} k SET {chosen}
          FROM (SELECT b.pair AS kept_pair, a.*
                  FROM (SELECT pair, {sort},
                               row_number() OVER (PARTITION BY {sort} ORDER BY pair) AS r
                          FROM {missing.relation}) b
                  JOIN (SELECT *, row_number() OVER (
                                    PARTITION BY {sort} ORDER BY {known}, pair) AS r
                          FROM {every}) a
                    ON a.r = b.r AND {alike(prefixed("a", ours), prefixed("b", ours))}) s
         WHERE k.pair = s.kept_pair AND k.state = 'missing'
        """
    )
