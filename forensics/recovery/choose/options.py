"""The ways out, with a number on each: what it recovers, what it destroys, what stays out of reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from forensics.model import TableResult, plain
from forensics.recovery.choose.selection import Selection
from forensics.recovery.rehearse.proof import (
    BACKFILL,
    FULL_RESTORE,
    REINSERT,
    ROLL_BACK,
    Proof,
    TableShare,
)
from forensics.recovery.rehearse.rollback import EXAMPLES, Price
from forensics.recovery.write.backfill import Place
from forensics.store import Store
from forensics.text import counted

UNREHEARSED = "Not rehearsed"


@dataclass(frozen=True)
class Option:
    """One way out.

    Attributes:
        recovers: backup rows that live holds again afterwards.
        destroys: rows written to live since the backup that it would overwrite or remove.
        blocked: lost rows that it cannot bring back.
        destroyed: by table, what it would destroy, with examples.
        reasons: why rows are blocked: (table, reason, rows).
        application: what the application's present code needs afterwards.
        caveats: what it does not do.
        proof: what came of its own rehearsal, or None where none was held.
    """

    name: str
    recovers: int
    destroys: int
    blocked: int
    destroyed: tuple[TableShare, ...] = ()
    reasons: tuple[tuple[str, str, int], ...] = ()
    application: str = ""
    caveats: tuple[str, ...] = ()
    proof: Proof | None = None

    @property
    def verified(self) -> bool:
        """Whether its own rehearsal proved its numbers."""
        return self.proof is not None and self.proof.holds

    @property
    def seconds(self) -> float | None:
        """How long it keeps live busy, measured in its rehearsal; None where none was held or it came to no end."""
        return self.proof.seconds if self.proof and self.proof.checks else None

    def as_json(self) -> dict[str, Any]:
        """The option as the contract has it, and more."""
        shares = [
            {**plain(s.name), "rows": s.rows, "examples": [dict(e) for e in s.examples]}
            for s in self.destroyed
        ]
        reasons = [{"table": t, "reason": r, "rows": n} for t, r, n in self.reasons]
        return {
            "name": self.name,
            "recovers": self.recovers,
            "destroys": self.destroys,
            "blocked": self.blocked,
            "verified": self.verified,
            "destroyed": shares,
            "reasons": reasons,
            "seconds": self.seconds,
            "application": self.application,
            "caveats": list(self.caveats),
            "proof": plain(self.proof) if self.proof else None,
        }


def options(selection: Selection, found: Sequence[Place], price: Price) -> tuple[Option, ...]:
    """Put numbers on the four ways out, before any of them is rehearsed.

    Args:
        selection: what comes back.
        found: the new places of links; empty where there are none.
        price: what undoing the schema change would take.
    """
    store = selection.store
    return (
        _full_restore(store, price),
        _roll_back(price),
        _reinsert(selection),
        _backfill(selection, found),
    )


def proved(
    choices: Iterable[Option], proofs: Mapping[str, Proof], unrehearsed: Mapping[str, str]
) -> tuple[Option, ...]:
    """The options with what came of their rehearsals.

    Args:
        proofs: by option.
        unrehearsed: by option, why it was not rehearsed although rehearsing was asked for.
    """
    return tuple(
        replace(
            o,
            proof=proofs.get(o.name),
            caveats=(*o.caveats, f"{UNREHEARSED}: {unrehearsed[o.name]}")
            if o.name in unrehearsed
            else o.caveats,
        )
        for o in choices
    )


def recommendation(choices: Iterable[Option], left: int) -> str:
    """Say which option the numbers speak for, and why, in a few sentences.

    Args:
        left: how many missing rows were not asked for, because no statement is known to have taken them.
    """
    by_name = {o.name: o for o in choices}
    reinsert, restore, backfill = by_name[REINSERT], by_name[FULL_RESTORE], by_name[BACKFILL]
    if not reinsert.recovers and left and not reinsert.blocked:
        return (
            f"{counted(left, 'row')} {'is' if left == 1 else 'are'} missing, and no statement of a migration is known to have taken them: nothing is brought back. Run cause with "
            "--migrations first, or recover with --include-unexplained."
        )
    if not reinsert.recovers:
        return "Nothing that the migration took can be brought back by re-inserting rows; see the reasons."
    text = f"Reinsert the lost rows: that brings back {counted(reinsert.recovers, 'row')} and destroys nothing"
    if restore.destroys:
        text += f", where a full restore would destroy {counted(restore.destroys, 'row')} written since the backup."
    elif restore.recovers > reinsert.recovers:
        text += f"; a full restore would bring back {restore.recovers:,}, also what was removed on purpose, and live would stand still for it."
    else:
        text += ", and live keeps running; a full restore would gain no more."
    if backfill.recovers:
        text += f" The application's present code looks for links in the new columns: backfill writes {backfill.recovers:,} of them there as well."
    if reinsert.blocked:
        text += f" {counted(reinsert.blocked, 'row')} {'stays' if reinsert.blocked == 1 else 'stay'} out of reach for the reasons given."
    if not reinsert.verified:
        text += " This was not rehearsed: run recover with --rehearse before you act on it."
    return text


def _full_restore(store: Store, price: Price) -> Option:
    results = store.results()
    destroyed = tuple(s for s in (_written(store, r, price) for r in results) if s.rows)
    missing = sum(r.missing or 0 for r in results)
    failed = [str(r.name) for r in results if r.state == "failed"]
    caveats = [
        "It puts everything back as it stood at the backup, and so undoes every legitimate change since, deletions included."
    ]
    if failed:
        caveats.append(f"Not counted, because they could not be compared: {', '.join(failed[:5])}.")
    if not price.asked and price.notes:
        caveats += price.notes
    return Option(
        FULL_RESTORE,
        missing,
        sum(s.rows for s in destroyed),
        0,
        destroyed,
        application="The code as it was before the migration: the restored schema lacks what the migration added.",
        caveats=tuple(caveats),
    )


def _roll_back(price: Price) -> Option:
    return Option(
        ROLL_BACK,
        0,
        sum(s.rows for s in price.shares),
        0,
        price.shares,
        application="The code as it was before the migration, or a new migration that makes the schema again.",
        caveats=(
            "`prisma migrate resolve --rolled-back` only marks a failed migration in the history: it runs no SQL, brings back no row, "
            "and refuses a migration that succeeded.",
            "Reverting the schema by a migration of its own re-creates the dropped tables empty, and drops what the migration added, "
            "with the rows and values written there since.",
            *price.notes,
        ),
    )


def _reinsert(selection: Selection) -> Option:
    reasons = tuple((str(t.name), why, rows) for t in selection.targets for why, rows in t.reasons)
    moved = sum(t.counts["moved"] + t.counts["superseded"] for t in selection.targets)
    caveats = [
        "Rows that were written after the backup and destroyed with their table stand in no backup and do not return."
    ]
    if moved:
        caveats.append(f"{moved:,} links that live holds elsewhere are not inserted again.")
    return Option(
        REINSERT,
        sum(t.rows for t in selection.targets),
        0,
        sum(t.blocked for t in selection.targets),
        reasons=reasons,
        application="Nothing to go on running; code that is to show the recovered rows must read these tables, or be given them by the backfill.",
        caveats=tuple(caveats),
    )


def _backfill(selection: Selection, found: Sequence[Place]) -> Option:
    junctions = {p.target.name for p in found}
    others = sum(t.rows for t in selection.targets if t.name not in junctions)
    caveats = [
        "Parents that the application has given links since keep theirs, and get none of the old ones."
    ]
    if not found:
        caveats = ["No parent table has a new column that could hold lost links."]
    elif others:
        caveats.append(f"{others:,} rows of other tables have no such place.")
    return Option(
        BACKFILL,
        sum(p.links for p in found),
        0,
        sum(p.target.blocked for p in found),
        reasons=tuple(
            (str(p.target.name), why, rows) for p in found for why, rows in p.target.reasons
        ),
        application="The present code, which reads the new columns.",
        caveats=tuple(caveats),
    )


def _written(store: Store, result: TableResult, price: Price) -> TableShare:
    """What the application wrote to one table since the backup."""
    unseen = price.unseen.get(result.name, 0)
    rows = (result.added or 0) + (result.changed or 0) + unseen
    if not rows or result.state == "failed":
        return TableShare(result.name, 0)
    found = store.rows(result.name, "live", ("added", "changed"), EXAMPLES)
    shown = [c for c in (result.key or found.column_names[1:4]) if c in found.column_names[1:]]
    examples = (
        tuple({c: row[c] for c in shown} for row in found.select(shown).to_pylist())
        if shown
        else ()
    )
    asked = next((s.examples for s in price.shares if s.name == result.name), ())
    return TableShare(result.name, rows, examples or asked)
