"""The ways out, with a number on each: what it recovers, what it destroys, what stays out of reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.model import TableName, TableResult, plain
from forensics.recovery.backfill import Place
from forensics.recovery.rehearsal import Rehearsal
from forensics.recovery.selection import Selection
from forensics.store import Store

EXAMPLES = 3
FULL_RESTORE, ROLL_BACK, REINSERT, BACKFILL = "full restore", "roll back", "reinsert lost rows", "backfill"


@dataclass(frozen=True)
class TableShare:
    """What an option does to one table: how many rows, and the keys of some of them."""

    name: TableName
    rows: int
    examples: tuple[Mapping[str, str | None], ...] = ()


@dataclass(frozen=True)
class Option:
    """One way out.

    Attributes:
        recovers: backup rows that live holds again afterwards.
        destroys: rows written to live since the backup that it would overwrite or remove.
        blocked: lost rows that it cannot bring back.
        verified: whether a rehearsal proved the numbers.
        destroyed: by table, what it would destroy, with examples.
        reasons: why rows are blocked: (table, reason, rows).
        seconds: how long it keeps live busy, measured in the rehearsal; None where it was not.
        application: what the application's present code needs afterwards.
        caveats: what it does not do.
    """

    name: str
    recovers: int
    destroys: int
    blocked: int
    verified: bool
    destroyed: tuple[TableShare, ...] = ()
    reasons: tuple[tuple[str, str, int], ...] = ()
    seconds: float | None = None
    application: str = ""
    caveats: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The option as the contract has it, and more."""
        shares = [{**plain(s.name), "rows": s.rows, "examples": [dict(e) for e in s.examples]} for s in self.destroyed]
        reasons = [{"table": t, "reason": r, "rows": n} for t, r, n in self.reasons]
        return {
            "name": self.name, "recovers": self.recovers, "destroys": self.destroys, "blocked": self.blocked, "verified": self.verified,
            "destroyed": shares, "reasons": reasons, "seconds": self.seconds, "application": self.application, "caveats": list(self.caveats),
        }  # fmt: skip


def options(selection: Selection, found: Sequence[Place], rehearsal: Rehearsal | None) -> tuple[Option, ...]:
    """Put numbers on the four ways out.

    Args:
        selection: what comes back.
        found: the new places of links; empty where there are none.
        rehearsal: what came of it, where it was held.
    """
    store = selection.store
    return (
        _full_restore(store),
        _roll_back(store),
        _reinsert(selection, rehearsal),
        _backfill(selection, found, rehearsal),
    )


def recommendation(choices: Iterable[Option]) -> str:
    """Say which option the numbers speak for, and why, in a few sentences."""
    by_name = {o.name: o for o in choices}
    reinsert, restore, backfill = by_name[REINSERT], by_name[FULL_RESTORE], by_name[BACKFILL]
    if not reinsert.recovers:
        return "Nothing that the migration took can be brought back by re-inserting rows; see the reasons."
    said = [
        f"Reinsert the lost rows: that brings back {reinsert.recovers:,} rows and destroys nothing",
        f"where a full restore would destroy {restore.destroys:,} rows written since the backup." if restore.destroys
        else "and live keeps running; a full restore would gain no more.",
    ]  # fmt: skip
    text = ", ".join(said)
    if backfill.recovers:
        text += f" The application's present code looks for links in the new columns: backfill writes {backfill.recovers:,} of them there as well."
    if reinsert.blocked:
        text += f" {reinsert.blocked:,} rows stay out of reach for the reasons given."
    if not reinsert.verified:
        text += " This was not rehearsed: run recover with --rehearse before you act on it."
    return text


def _full_restore(store: Store) -> Option:
    results = store.results()
    destroyed = tuple(s for s in (_written(store, r) for r in results) if s.rows)
    missing = sum(r.missing or 0 for r in results)
    failed = [str(r.name) for r in results if r.state == "failed"]
    caveats = ["It puts everything back as it stood at the backup, and so undoes every legitimate change since, deletions included."]
    if failed:
        caveats.append(f"Not counted, because they could not be compared: {', '.join(failed[:5])}.")
    return Option(
        FULL_RESTORE, missing, sum(s.rows for s in destroyed), 0, False, destroyed,
        application="The code as it was before the migration: the restored schema lacks what the migration added.",
        caveats=tuple(caveats),
    )  # fmt: skip


def _roll_back(store: Store) -> Option:
    new = tuple(s for s in (_written(store, r) for r in store.results() if r.state == "new") if s.rows)
    return Option(
        ROLL_BACK, 0, sum(s.rows for s in new), 0, False, new,
        application="The code as it was before the migration, or a new migration that makes the schema again.",
        caveats=(
            "`prisma migrate resolve --rolled-back` only marks a failed migration in the history: it runs no SQL, brings back no row, "
            "and refuses a migration that succeeded.",
            "Reverting the schema by a migration of its own re-creates the dropped tables empty, and drops what the migration added, "
            "with the rows written there since.",
        ),
    )  # fmt: skip


def _reinsert(selection: Selection, rehearsal: Rehearsal | None) -> Option:
    reasons = tuple((str(t.name), why, rows) for t in selection.targets for why, rows in t.reasons)
    moved = sum(t.counts["moved"] + t.counts["superseded"] for t in selection.targets)
    caveats = ["Rows that were written after the backup and destroyed with their table stand in no backup and do not return."]
    if moved:
        caveats.append(f"{moved:,} links that live holds elsewhere are not inserted again.")
    return Option(
        REINSERT, sum(t.rows for t in selection.targets), 0, sum(t.blocked for t in selection.targets),
        rehearsal is not None and rehearsal.holds, reasons=reasons, seconds=rehearsal.seconds if rehearsal else None,
        application="Nothing to go on running; code that is to show the recovered rows must read these tables, or be given them by the backfill.",
        caveats=tuple(caveats),
    )  # fmt: skip


def _backfill(selection: Selection, found: Sequence[Place], rehearsal: Rehearsal | None) -> Option:
    junctions = {p.target.name for p in found}
    measured = rehearsal.backfill if rehearsal and rehearsal.backfill else None
    others = sum(t.rows for t in selection.targets if t.name not in junctions)
    caveats = ["Parents that the application has given links since keep theirs, and get none of the old ones."]
    if not found:
        caveats = ["No parent table has a new column that could hold lost links."]
    elif others:
        caveats.append(f"{others:,} rows of other tables have no such place.")
    return Option(
        BACKFILL, sum(p.links for p in found), 0, sum(p.target.blocked for p in found), bool(measured) and bool(rehearsal and rehearsal.holds),
        reasons=tuple((str(p.target.name), why, rows) for p in found for why, rows in p.target.reasons),
        seconds=measured["seconds"] if measured else None,
        application="The present code, which reads the new columns.", caveats=tuple(caveats),
    )  # fmt: skip


def _written(store: Store, result: TableResult) -> TableShare:
    """What the application wrote to one table since the backup."""
    rows = (result.added or 0) + (result.changed or 0)
    if not rows or result.state == "failed":
        return TableShare(result.name, 0)
    found = store.rows(result.name, "live", ("added", "changed"), EXAMPLES)
    shown = [c for c in (result.key or found.column_names[1:4]) if c in found.column_names[1:]]
    examples = tuple({c: row[c] for c in shown} for row in found.select(shown).to_pylist()) if shown else ()
    return TableShare(result.name, rows, examples)
