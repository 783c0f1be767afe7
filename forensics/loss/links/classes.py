"""One class for every missing row of a junction table.

superseded, moved: live holds the link, in the same table in another row, or elsewhere;
it is not lost. Of what is lost, blocked rows name a parent that is gone from live,
conflicting rows collide with a key or constraint of live, and the rest is restorable.
All of it is joins over the rows that differ; of live only parents' keys, keys that live
made unique since the backup, and the columns where a link may have gone are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.loss.junctions import Junction
from forensics.loss.links.blocked import Blocked, blocked_links
from forensics.loss.links.conflicting import Conflicts
from forensics.loss.links.fate import Fate
from forensics.loss.links.orphans import keep_orphans, orphans_said
from forensics.loss.links.superseded import only_dead, superseded_links
from forensics.loss.links.translated import Translation
from forensics.loss.missing import MissingRows, missing_rows
from forensics.loss.moved import Search
from forensics.loss.moved.chosen import choose_missing
from forensics.loss.sql import listed, literal, prefixed, present
from forensics.loss.workspace import Workspace
from forensics.model import Key

_LAYOUT = (
    "pair BIGINT, class VARCHAR, blocked_by VARCHAR[], violates VARCHAR, "
    "violates_pair BIGINT, superseded_by BIGINT, place INTEGER"
)

_MARKED = (
    "missing links that live holds only in rows that are marked deleted: {:,}. "
    "They are not alive there, and count as lost"
)


def classify(work: Workspace, junction: Junction) -> Fate:
    """Give each missing row of a junction table its class, into `loss.links_N`.

    Raises:
        EvidenceError: live cannot be read.
    """
    fate = Fate(junction)
    missing = missing_rows(work, junction.name)
    result = work.result(junction.name)
    target = f"loss.links_{work.number(junction.name)}"
    if missing is None or result is None or not result.missing:
        work.run(f"CREATE OR REPLACE TABLE {target} ({_LAYOUT})")
        return fate
    translation = Translation(work, junction)
    named, missing = missing, translation.missing(missing)
    fate.notes += translation.notes
    choose_missing(missing, junction)
    search = Search(missing, junction)
    fate.places, moved = search.run()
    for parent in junction.parents:
        fate.holders[parent] = search.holders(parent)
    superseded = _with_others(work, superseded_links(missing, junction), search.again)
    if marked := only_dead(missing, junction, superseded):
        fate.notes.append(_MARKED.format(marked))
    blocked = blocked_links(missing, named, junction, fate, translation)
    keep_orphans(named, fate.never)
    fate.notes += orphans_said(missing)
    conflicts = Conflicts(missing, junction)
    known = _Known(superseded, moved, blocked, conflicts.run())
    known.write(missing, target)
    for key, fields in conflicts.new_keys:
        _thin_out(missing, target, key, fields)
    _count(work, target, fate)
    return fate


def _with_others(work: Workspace, superseded: str | None, again: Sequence[str]) -> str | None:
    """Add the links that the same table holds, whose ends have other keys by now."""
    if not again:
        return superseded
    known = f" UNION ALL SELECT * FROM {superseded}" if superseded else ""
    pairs = " UNION ".join(f"SELECT pair FROM {table}" for table in again)
    return work.temp(
        f"""
        SELECT pair, min(live_pair) AS live_pair
          FROM (SELECT pair, NULL::BIGINT AS live_pair FROM ({pairs}){known})
         GROUP BY pair
        """
    )


@dataclass(frozen=True)
class _Known:
    """What is known of a junction table's missing rows.

    Attributes:
        superseded: a working table (pair, live_pair), or None.
        moved: a working table (pair, place), or None.
        blocked: which of their parents are gone.
        conflicts: a working table (pair, violates, live_pair), or None.
    """

    superseded: str | None
    moved: str | None
    blocked: Blocked
    conflicts: str | None

    def write(self, missing: MissingRows, target: str) -> None:
        """Write each row's class."""
        missing.work.run(
            f"""
            CREATE OR REPLACE TABLE {target} AS
            SELECT pair,
                   CASE WHEN again THEN 'superseded'
                        WHEN place IS NOT NULL THEN 'moved'
                        WHEN len(blocked_by) > 0 THEN 'blocked'
                        WHEN violates IS NOT NULL THEN 'conflicting'
                        ELSE 'restorable' END AS class,
                   CASE WHEN NOT again AND place IS NULL
                        THEN blocked_by ELSE [] END AS blocked_by,
                   CASE WHEN NOT again AND place IS NULL AND len(blocked_by) = 0
                        THEN violates END AS violates,
                   CASE WHEN NOT again AND place IS NULL AND len(blocked_by) = 0
                        THEN violates_pair END AS violates_pair,
                   superseded_by,
                   CASE WHEN NOT again THEN place END AS place
              FROM (SELECT {self._columns()}
                      FROM {missing.relation} m {self._joins()})
            """
        )

    def _columns(self) -> str:
        again, live_pair, place, violates, violates_pair = "false", *["NULL"] * 4
        if self.superseded:
            again, live_pair = "s.pair IS NOT NULL", "s.live_pair"
        if self.moved:
            place = "v.place"
        if self.conflicts:
            violates, violates_pair = "x.violates", "x.live_pair"
        return f"""
            m.pair, {again} AS again,
            {self.blocked.tables}::VARCHAR[] AS blocked_by,
            {violates}::VARCHAR AS violates,
            {violates_pair}::BIGINT AS violates_pair,
            {live_pair}::BIGINT AS superseded_by,
            {place}::INTEGER AS place
        """

    def _joins(self) -> str:
        joins = self.blocked.joins
        if self.superseded:
            joins += f" LEFT JOIN {self.superseded} s ON s.pair = m.pair"
        if self.moved:
            joins += f" LEFT JOIN {self.moved} v ON v.pair = m.pair"
        if self.conflicts:
            joins += f" LEFT JOIN {self.conflicts} x ON x.pair = m.pair"
        return joins


def _thin_out(missing: MissingRows, target: str, key: Key, fields: Sequence[str]) -> None:
    """Of restorable rows that share a key of live, only the first can be inserted."""
    whole = present(prefixed("m", fields)) if key.nulls_distinct else "true"
    rank = f"row_number() OVER (PARTITION BY {listed(fields, 'm.')} ORDER BY m.pair) AS r"
    missing.work.run(
        f"""
        UPDATE {target} SET class = 'conflicting', violates = {literal(key.name)}
         WHERE pair IN (SELECT pair FROM (
            SELECT m.pair, {rank}
              FROM {missing.relation} m JOIN {target} l ON l.pair = m.pair
             WHERE l.class = 'restorable' AND {whole}) WHERE r > 1)
        """
    )


def _count(work: Workspace, target: str, fate: Fate) -> None:
    """Count rows by class, by parents that are gone, by what they collide with."""
    fate.counts |= dict(work.ask(f"SELECT class, count(*) FROM {target} GROUP BY class"))
    blocked = f"SELECT unnest(blocked_by) AS p FROM {target} WHERE class = 'blocked'"
    fate.blocked_by = dict(work.ask(f"SELECT p, count(*) FROM ({blocked}) GROUP BY p ORDER BY p"))
    fate.conflicts = dict(
        work.ask(
            f"""
            SELECT violates, count(*) FROM {target}
             WHERE class = 'conflicting'
             GROUP BY violates ORDER BY violates
            """
        )
    )
