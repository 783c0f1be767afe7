"""Links that are gone though no row is missing.

A junction row that stands under its key says another link where it was changed, and where a key
that it names was used again: the number is the same, the row is not.
"""

from __future__ import annotations

from forensics.loss.junctions import Junction
from forensics.loss.links.translated import Translation
from forensics.loss.marks import kept_dead, marks_of
from forensics.loss.sql import listed, numbered, prefixed, present, renamed, same
from forensics.loss.workspace import Workspace


def overwritten(work: Workspace, junction: Junction) -> int:
    """Count a junction table's rows that are not missing and whose link live holds nowhere.

    Raises:
        EvidenceError: live cannot be read.
    """
    name, link = junction.name, junction.link_columns
    result = work.result(name)
    if result is None or result.state != "compared" or not set(link) <= set(result.columns):
        return 0
    translation = Translation(work, junction)
    if not result.changed and not (result.unchanged and translation.parents):
        return 0
    width = len(link)
    stood = _changed(work, junction)
    if translation.parents:
        stood = f"{stood} UNION ALL {_unchanged(work, junction)}"
    places = {column: f"c{place}" for place, column in enumerate(link)}
    keep = [*numbered("c", width), "n"]
    now = work.temp(translation.query(f"({stood})", places, keep))
    there = work.read("live", name, link)
    links, held = numbered("o.c", width), numbered("t.c", width)
    (rows,) = work.one(
        f"""
        SELECT coalesce(sum(n), 0)
          FROM {now} o ANTI JOIN {there} t ON {same(links, held)}
         WHERE {present(links)}
        """
    )
    return int(rows)


def marked_since(work: Workspace, junction: Junction) -> int:
    """Count a junction table's rows that stand, and that were marked deleted since the backup."""
    name = junction.name
    ours, theirs = work.kept("backup", name), work.kept("live", name)
    live = work.table("live", name)
    if ours is None or theirs is None or live is None or not marks_of(live):
        return 0
    return work.count(
        f"""
        {ours} b SEMI JOIN {theirs} l
           ON l.pair = b.pair AND l.state = 'changed' AND {kept_dead(work, "live", name, "l.")}
        WHERE b.state = 'changed' AND NOT {kept_dead(work, "backup", name, "b.")}
        """
    )


def _changed(work: Workspace, junction: Junction) -> str:
    """A query for the links that changed rows had, as (c0, …, n)."""
    fields = work.fields("backup", junction.name, junction.link_columns) or []
    kept = work.kept("backup", junction.name)
    return f"SELECT {renamed(fields, 'c')}, 1 AS n FROM {kept} WHERE state = 'changed'"


def _unchanged(work: Workspace, junction: Junction) -> str:
    """A query for the links of unchanged rows: those of live that the case does not keep."""
    name, link = junction.name, junction.link_columns
    width = len(link)
    there = work.read("live", name, link)
    kept = work.kept("live", name)
    fields = work.fields("live", name, link) or []
    columns = listed(numbered("c", width))
    return f"""
        SELECT {columns}, sum(n)::BIGINT AS n
          FROM (SELECT {columns}, 1 AS n FROM {there}
                UNION ALL
                SELECT {listed(prefixed("d", fields))}, -1 FROM {kept} d)
         GROUP BY {columns} HAVING sum(n) > 0
    """
