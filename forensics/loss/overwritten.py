"""Links that are gone though no row is missing.

A junction row that stands under its key says another link where it was changed, and where a key
that it names was used again: the number is the same, the row is not.
"""

from __future__ import annotations

from forensics.loss.junctions import Junction
from forensics.loss.links import Fate
from forensics.loss.links.blocked import gone_keys
from forensics.loss.links.orphans import never_there
from forensics.loss.links.translated import Translation
from forensics.loss.marks import kept_dead, marks_of
from forensics.loss.missing import MissingRows
from forensics.loss.sql import listed, numbered, prefixed, present, renamed, same
from forensics.loss.workspace import Workspace


def overwritten(work: Workspace, junction: Junction, fate: Fate) -> None:
    """Count a junction table's rows that are not missing and whose link live holds nowhere.

    Puts into `fate` how many there are, their links, and what of the parents is gone.

    Raises:
        EvidenceError: live cannot be read.
    """
    name, link = junction.name, junction.link_columns
    result = work.result(name)
    if result is None or result.state != "compared" or not set(link) <= set(result.columns):
        return
    translation = Translation(work, junction)
    if not result.changed and not (result.unchanged and translation.parents):
        return
    width = len(link)
    stood = _changed(work, junction)
    if translation.parents:
        stood = f"{stood} UNION ALL {_unchanged(work, junction)}"
    was = listed(f"c{place} AS w{place}" for place in range(width))
    places = {column: f"c{place}" for place, column in enumerate(link)}
    keep = [*numbered("c", width), *numbered("w", width), "n"]
    now = work.temp(translation.query(f"(SELECT *, {was} FROM ({stood}))", places, keep))
    there = work.read("live", name, link)
    links, held = numbered("o.c", width), numbered("t.c", width)
    found = work.temp(
        f"""
        SELECT {listed(numbered("o.w", width))}, o.n
          FROM {now} o ANTI JOIN {there} t ON {same(links, held)}
         WHERE {present(links)}
        """
    )
    (rows,) = work.one(f"SELECT coalesce(sum(n), 0) FROM {found}")
    fate.overwritten = int(rows)
    if fate.overwritten:
        fate.overwritten_links = found
        _note_gone(work, junction, fate, translation)


def _note_gone(work: Workspace, junction: Junction, fate: Fate, translation: Translation) -> None:
    """Note which of the parents that overwritten links name are gone, or never were there."""
    kept = work.kept("backup", junction.name)
    rows = MissingRows(work, junction.name, f"(SELECT * FROM {kept} WHERE state = 'changed')")
    for parent in junction.parents:
        known = fate.gone.get(parent)
        if known == "all" or rows.fields(parent.columns) is None:
            continue
        gone = gone_keys(rows, parent, fate.notes)
        if known is None:
            gone = translation.gone_too(parent, gone)
        for keys in (known, never_there(rows, parent)):
            if keys is not None and gone != "all":
                more = f" UNION SELECT * FROM {gone}" if gone else ""
                gone = work.temp(f"SELECT * FROM {keys}{more}")
        fate.gone[parent] = gone


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
