"""The ways out, with a number on each: what it recovers, destroys, and cannot bring back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from forensics.documents import plain
from forensics.evidence.migrations.tools.prisma import HISTORY as PRISMA
from forensics.model import TableResult, that_count
from forensics.recovery.choose.accident import Accident
from forensics.recovery.choose.freed import all_blocked
from forensics.recovery.choose.overwritten import Values
from forensics.recovery.choose.price import EXAMPLES, Price
from forensics.recovery.choose.selection import Selection
from forensics.recovery.choose.targets import Target, some
from forensics.recovery.proof import (
    BACKFILL,
    FULL_RESTORE,
    OVERWRITTEN,
    REINSERT,
    ROLL_BACK,
    Proof,
    TableShare,
)
from forensics.store import Store, has_table
from forensics.text import together

UNREHEARSED = "Not rehearsed"
_WHOLE = "It cannot be narrowed to some rows: its numbers are of everybody's."

_MARKS_ONLY = (
    "`prisma migrate resolve --rolled-back` only marks a failed migration in the history: "
    "it runs no SQL, brings back no row, and refuses a migration that succeeded."
)


class NewPlace(Protocol):
    """Where a junction table's links can be written, as far as an option asks."""

    @property
    def target(self) -> Target:
        """The junction table."""

    @property
    def links(self) -> int:
        """How many links are written there."""


@dataclass(frozen=True)
class Option:
    """One way out.

    A number is None where it is not known.

    Attributes:
        recovers: backup rows that live holds again afterwards.
        destroys: rows written to live since the backup that it would overwrite or remove.
        blocked: lost rows that it cannot bring back.
        freed: rows that are blocked today and come back since their parents come back with them.
        destroyed: by table, what it would destroy, with examples.
        reasons: why rows are blocked: (table, reason, rows).
        application: what the application's present code needs afterwards.
        caveats: what it does not do.
        proof: what came of its own rehearsal, or None where none was held.
    """

    name: str
    recovers: int | None
    destroys: int | None
    blocked: int
    destroyed: tuple[TableShare, ...] = ()
    reasons: tuple[tuple[str, str, int], ...] = ()
    application: str = ""
    caveats: tuple[str, ...] = ()
    proof: Proof | None = None
    freed: int | None = 0

    @property
    def verified(self) -> bool:
        """Whether its own rehearsal proved its numbers, and left nothing undone."""
        return self.proof is not None and self.proof.verified

    @property
    def seconds(self) -> float | None:
        """How long it keeps live busy, measured in its rehearsal.

        None where none was held or it came to no end.
        """
        if self.proof and self.proof.checks:
            return self.proof.seconds
        return None

    def as_json(self) -> dict[str, Any]:
        """The option as the contract has it, and more."""
        shares = []
        for share in self.destroyed:
            examples = plain(share.examples)
            shares.append({**plain(share.name), "rows": share.rows, "examples": examples})
        reasons = []
        for table, reason, rows in self.reasons:
            reasons.append({"table": table, "reason": reason, "rows": rows})
        return {
            "name": self.name,
            "recovers": self.recovers,
            "freed": self.freed,
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


def options(
    selection: Selection,
    found: Sequence[NewPlace],
    price: Price,
    overwritten: Sequence[Values] = (),
    *,
    fire: bool = False,
) -> tuple[Option, ...]:
    """Put numbers on the ways out, before any of them is rehearsed.

    Args:
        selection: what comes back.
        found: the new places of links; empty where there are none.
        price: what undoing the schema change would take.
        overwritten: the tables of which overwritten values come back.
        fire: triggers stay awake for these.
    """
    store = selection.store
    found_values = (_overwritten(overwritten, fire),) if overwritten else ()
    whole = [_full_restore(store, price), _roll_back(price, _has_prisma(store))]
    if selection.narrowing is not None:
        whole = [replace(one, caveats=(*one.caveats, _WHOLE)) for one in whole]
    return (
        *whole,
        _reinsert(selection),
        _backfill(selection, found),
        *found_values,
    )


def proved(
    choices: Iterable[Option],
    proofs: Mapping[str, Proof],
    unrehearsed: Mapping[str, str],
) -> tuple[Option, ...]:
    """The options with what came of their rehearsals.

    Args:
        choices: the options.
        proofs: by option.
        unrehearsed: by option, why it was not rehearsed although rehearsing was asked for.
    """
    found = []
    for option in choices:
        caveats = option.caveats
        if option.name in unrehearsed:
            caveats = (*caveats, f"{UNREHEARSED}: {unrehearsed[option.name]}")
        found.append(replace(option, proof=proofs.get(option.name), caveats=caveats))
    return tuple(found)


# --- one by one ---------------------------------------------------------------------------------


def _full_restore(store: Store, price: Price) -> Option:
    missing: int | None = 0
    destroyed = []
    failed = []
    accident = Accident(store)
    _, live = store.catalogs()
    for result in that_count(store.results()):
        if result.state != "new":
            missing = together(missing, result.missing)
        table = live.tables.get(result.name)
        if table and table.extension:
            continue  # what an extension put there it puts there again
        share = _written(store, result, price, accident)
        if share.rows:
            destroyed.append(share)
        if result.state == "failed":
            failed.append(str(result.name))
    caveats = [
        "It puts everything back as it stood at the backup, and so undoes every legitimate "
        "change since, deletions included."
    ]
    destroys: int | None = _rows(destroyed)
    if failed:
        destroys = None
        names = ", ".join(failed[:5])
        caveats.append(f"Not counted, because they could not be compared: {names}.")
    if not price.asked and price.notes:
        caveats += price.notes
    note = accident.note()
    if destroyed and note:
        caveats.append(note)
    return Option(
        FULL_RESTORE,
        recovers=missing,
        destroys=destroys,
        blocked=0,
        destroyed=tuple(destroyed),
        application="The code as it was before the migration: "
        "the restored schema lacks what the migration added.",
        caveats=tuple(caveats),
        freed=all_blocked(store),
    )


def _written(store: Store, result: TableResult, price: Price, accident: Accident) -> TableShare:
    """What the application wrote to one table since the backup."""
    unseen = price.unseen.get(result.name, 0)
    rows = (result.added or 0) + (result.changed or 0) + unseen - accident.rows(result)
    rows -= price.own.get(result.name, 0)
    if not rows or result.state == "failed":
        return TableShare(result.name, 0)
    own = accident.condition(result)
    examples = _examples(store, result, own) or price.examples(result.name)
    return TableShare(result.name, rows, examples)


def _examples(
    store: Store, result: TableResult, own: str | None
) -> tuple[dict[str, str | None], ...]:
    """The keys of some rows that were written, as the case holds them, without the accident's."""
    columns = store.columns(result.name, "live")
    shown = [c for c in result.key or columns[:3] if c in columns]
    number = store.number(result.name)
    if not shown or number is None:
        return ()
    fields = ", ".join(f"f{columns.index(column)}" for column in shown)
    without = f"AND NOT ({own})" if own else ""
    with store.query() as cursor:
        if not has_table(cursor, f"rows.live_{number}"):
            return ()
        found = cursor.execute(
            f"SELECT {fields} FROM rows.live_{number} WHERE state IN ('added', 'changed') "
            f"{without} ORDER BY pair LIMIT {EXAMPLES}"
        ).fetchall()
    return tuple(dict(zip(shown, row, strict=True)) for row in found)


def _has_prisma(store: Store) -> bool:
    """Whether either side has that tool's history."""
    backup, live = store.catalogs()
    return any(name.table == PRISMA for name in (*backup.tables, *live.tables))


def _roll_back(price: Price, has_prisma: bool) -> Option:
    marks = (_MARKS_ONLY,) if has_prisma else ()
    return Option(
        ROLL_BACK,
        recovers=0,
        destroys=None if price.uncounted else _rows(price.shares),
        blocked=0,
        destroyed=price.shares,
        application="The code as it was before the migration, "
        "or a new migration that makes the schema again.",
        caveats=(
            *marks,
            "Reverting the schema by a migration of its own re-creates the dropped tables "
            "empty, and drops what the migration added, "
            "with the rows and values written there since.",
            *price.notes,
        ),
    )


def _reinsert(selection: Selection) -> Option:
    caveats = [
        "Rows that were written after the backup and destroyed with their table stand in no "
        "backup and do not return."
    ]
    moved = 0
    for target in selection.targets:
        moved += target.counts["moved"] + target.counts["superseded"]
    if moved:
        caveats.append(f"{moved:,} links that live holds elsewhere are not inserted again.")
    unclassified = all_blocked(selection.store) is None
    if unclassified:
        caveats.append(
            "Links that live holds elsewhere could not be told from lost ones: look for them "
            "before these rows are inserted, or compare again."
        )
    return Option(
        REINSERT,
        recovers=selection.returning,
        destroys=0,
        blocked=selection.blocked,
        reasons=_reasons(selection.targets),
        application="Nothing to go on running; code that is to show the recovered rows must "
        "read these tables, or be given them by the backfill.",
        caveats=tuple(caveats),
        freed=None if unclassified else selection.freed,
    )


def _backfill(selection: Selection, found: Sequence[NewPlace]) -> Option:
    links = blocked = 0
    others = selection.returning
    for place in found:
        links += place.links
        blocked += place.target.blocked
        others -= place.target.rows
    caveats = [
        "Parents that the application has given links since keep theirs, "
        "and get none of the old ones."
    ]
    if not found:
        caveats = ["No parent table has a new column that could hold lost links."]
    elif others:
        caveats.append(f"{others:,} rows of other tables have no such place.")
    return Option(
        BACKFILL,
        recovers=links,
        destroys=0,
        blocked=blocked,
        reasons=_reasons(place.target for place in found),
        application="The present code, which reads the new columns.",
        caveats=tuple(caveats),
    )


def _overwritten(every: Sequence[Values], fire: bool) -> Option:
    caveats = [
        "It is part of recovery.sql whether or not cause has run: only values that still hold "
        "what one pattern wrote over them are touched. --columns TABLE.COLUMN narrows it."
    ]
    rows = blocked = 0
    reasons = []
    for values in every:
        rows += values.rows
        blocked += values.blocked
        for column in values.columns:
            place = f"{values.name}.{column.column}"
            reasons += [(place, reason, number) for reason, number in column.reasons]
            if column.kept:
                caveats.append(f"{column.kept:,} values of {place} changed otherwise, and stay.")
            if column.kept is None:
                caveats.append(f"Other changed values of {place} stay; how many is not known.")
        if values.triggers and not fire:
            names = ", ".join(values.triggers)
            caveats.append(f"Triggers of {values.name} sleep, and are not fired: {names}.")
    return Option(
        OVERWRITTEN,
        recovers=rows,
        destroys=0,
        blocked=blocked,
        reasons=tuple(reasons),
        application="Nothing: the rows are where they were.",
        caveats=tuple(caveats),
    )


def _rows(shares: Iterable[TableShare]) -> int:
    """How many rows of all tables together."""
    return sum(share.rows for share in shares)


def _reasons(targets: Iterable[Target]) -> tuple[tuple[str, str, int], ...]:
    """Why rows of some tables are blocked: (table, reason, rows)."""
    found = []
    for target in targets:
        for reason, rows in some(target.reasons):
            found.append((str(target.name), reason, rows))
    return tuple(found)
