"""What the missing junction rows mean: which links are lost, which live on elsewhere, who is hit, and what nobody can see.

`assess` runs once, while both sides are open, and writes what it finds into the case:

- schema `loss`, table `links_N` for the junction table with number N (`Store.number`): one row for each row of
  `rows.backup_N` whose state is missing, by `pair`. `class` is moved, superseded, restorable, blocked or conflicting.
  `blocked_by` lists the parent tables (as `str(TableName)`) whose row is gone from live; `violates` names the key or
  constraint of live that it collides with, `violates_pair` the row of `rows.live_N` that it collides with, where that
  one differs itself; `superseded_by` is the `pair` of the row of `rows.live_N` that holds the link; `place` is the
  index of where it moved among the junction's `moved_to`.
- `loss.parents_N_I` for the I-th parent table: one row for each parent row that misses links: its key (k0, …), `label`,
  whether it is `gone` from live, what it `had` and `has` in the junction table, its links by class, and whether it
  holds links `elsewhere`.
- `loss.reach`: for the junction table with number N and the index of an entry of its `reach`, the ten rows that are hit
  most: key, label, and how many rows they are reached by.
- facts: `junctions` (every junction table of the backup with its parents), `loss` (what `loss --json` prints).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from forensics.compare.options import Listener
from forensics.errors import EvidenceError, redact
from forensics.evidence.source import Source
from forensics.loss.churn import churn
from forensics.loss.inference import survey
from forensics.loss.junctions import junction_of, overridden, plain_parent
from forensics.loss.links import CLASSES, LOST, Fate, classify
from forensics.loss.parents import Spread, dangling, spread
from forensics.loss.reach import Reach
from forensics.loss.renames import rekeyed, renames
from forensics.loss.window import work_out
from forensics.loss.workspace import Workspace
from forensics.model import TableName, plain
from forensics.store import Store

__all__ = ["CLASSES", "LOST", "assess"]


def assess(backup: Source, live: Source, store: Store, listener: Listener | None = None) -> None:
    """Classify every missing row of every junction table, and write what it means into the case.

    A junction table that could not be compared or whose parents cannot be read is left out and said in the document's
    `failed`; the others go on. So is one that was not among the tables to compare, without a word.

    Args:
        backup, live: both sides, open.
        store: the case, open for writing, with every table compared.
        listener: is told of rows that are read.

    Raises:
        EvidenceError: live cannot be read at all.
    """
    listener = listener or Listener()
    with Workspace(backup, live, store, listener.rows) as work:
        work.run("DROP SCHEMA IF EXISTS loss CASCADE")
        work.run("CREATE SCHEMA loss")
        work.renamed = renames(work)
        found = overridden(survey(work), backup.catalog, store.get("wishes") or {})
        work.rekeyed = rekeyed(work, (p for parents in found.values() for p in parents))
        store.put(
            "junctions",
            [
                {"name": n, "parents": [plain_parent(p) for p in parents]}
                for n, parents in found.items()
            ],
        )
        reach = Reach(work)
        entries: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for name, parents in found.items():
            if name not in work.results:
                continue  # it was not among the tables to compare
            if work.result(name) is None:
                failed.append({**plain(name), "reason": work.results[name].reason})
                continue
            junction = junction_of(backup.catalog.tables[name], parents)
            try:
                fate = classify(work, junction)
                spreads = spread(work, junction, fate)
                entries.append(_entry(work, fate, spreads))
            except (EvidenceError, duckdb.Error, MemoryError) as error:
                # Said of this table and recorded; the others go on, and the run as a whole then ends with 2.
                failed.append({**plain(name), "reason": redact(str(error) or type(error).__name__)})
                continue
            entries[-1]["reach"] = reach.run(name, spreads)
        window = work_out(work, entries, found)
        begin = (
            datetime.fromisoformat(window["backup_at"]).timestamp() if window["backup_at"] else None
        )
        store.put(
            "loss",
            {
                "junctions": entries,
                "window": window,
                "totals": {
                    c: sum(e[c] for e in entries)
                    for c in ("missing", "moved", "superseded", "lost", *LOST)
                },
                "churn": churn(work, begin, window["seconds"]),
                "renamed": [
                    {"from": plain(old), "to": plain(new)}
                    for old, new in sorted(work.renamed.items())
                ],
                "failed": failed,
            },
        )


def _entry(work: Workspace, fate: Fate, spreads: list[Spread]) -> dict[str, Any]:
    name = fate.junction.name
    labels = _labels([s.name for s in spreads])
    return {
        **plain(name),
        "number": work.number(name),
        "parents": [plain_parent(p) for p in fate.junction.parents],
        "link": list(fate.junction.link_columns),
        "missing": fate.missing,
        "moved": fate.counts["moved"],
        "superseded": fate.counts["superseded"],
        "lost": fate.lost,
        **{c: fate.counts[c] for c in LOST},
        "moved_to": [
            {
                "schema": p.name.schema,
                "table": p.name.table,
                "column": p.column,
                "rows": p.rows,
                "held": p.held,
                "order": p.order,
                "columns_lost": list(p.lost),
            }
            for p in fate.places
        ],
        "affected": {labels[s.name]: s.affected for s in spreads},
        "emptied": {labels[s.name]: s.emptied for s in spreads},
        "blocked_by": fate.blocked_by,
        "conflicts": fate.conflicts,
        "spread": [
            {
                **plain(s.name),
                "key": list(s.key),
                "label": s.label,
                "relation": s.relation,
                "rows": s.rows,
                "affected": s.affected,
                "emptied": s.emptied,
                "gone": s.gone,
                "untouched": None if s.rows is None else s.rows - s.affected,
            }
            for s in spreads
        ],
        "dangling": {labels[n]: count for n, count in dangling(work, fate.junction).items()},
        "notes": fate.notes,
    }


def _labels(names: list[TableName]) -> dict[TableName, str]:
    """Tables by their bare names, with the schema where two have the same."""
    bare = [n.table for n in names]
    return {n: n.table if bare.count(n.table) == 1 else f"{n.schema}.{n.table}" for n in names}
