"""What the missing junction rows mean: what is lost, what lives on elsewhere, who is hit.

`assess` runs once, while both sides are open, and writes what it finds into the case:

- schema `loss`, table `links_N` for the junction table with number N (`Store.number`):
  one row for each row of `rows.backup_N` whose state is missing, by `pair`. `class` is
  moved, superseded, restorable, blocked or conflicting. `blocked_by` lists the parent
  tables (as `str(TableName)`) whose row is gone from live; `violates` names the key or
  constraint of live that it collides with, `violates_pair` the row of `rows.live_N`
  that it collides with, where that one differs itself; `superseded_by` is the `pair` of
  the row of `rows.live_N` that holds the link; `place` is the index of where it moved
  among the junction's `moved_to`.
- `loss.parents_N_I` for the I-th parent table: one row for each parent row that misses
  links: its key (k0, …), `label`, whether it is `gone` from live, what it `had` and
  `has` in the junction table, its links by class, and whether it holds links
  `elsewhere`.
- `loss.reach`: for the junction table with number N and the index of an entry of its
  `reach`, the ten rows that are hit most: key, label, and how many rows they are
  reached by.
- facts: `junctions` (every junction table of the backup with its parents), `loss` (what
  `loss --json` prints, but for the entries of tables that were not classified: `published`).

The names are loaded when they are used: who reads a case needs neither side's reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.loading import lazily

if TYPE_CHECKING:
    from forensics.loss.assessment import assess, not_assessed
    from forensics.loss.fates import CLASSES, LOST

__all__ = ["CLASSES", "LOST", "assess", "not_assessed"]

_HOMES = {
    "CLASSES": "fates",
    "LOST": "fates",
    "assess": "assessment",
    "not_assessed": "assessment",
}

__getattr__ = lazily(__name__, _HOMES)
