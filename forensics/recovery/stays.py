"""What stays away when a recovery has run: worked out once, and said by all in the same numbers.

For each table the missing rows are those that come back and those that are listed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.compare.options import matching
from forensics.documents import plain
from forensics.model import TableName
from forensics.recovery.choose.held import Held, held_elsewhere
from forensics.recovery.choose.overwritten import Values
from forensics.recovery.choose.selection import Selection
from forensics.recovery.choose.tables import LEFT_OUT, UNEXPLAINED
from forensics.recovery.choose.targets import Scope, Target, some
from forensics.recovery.write.columns import dropped_columns, why_not
from forensics.store import Store

UNASKED = "they do not belong to what was asked for"
# Why rows of a class stay away that have no reason of their own.
_REASONS = {
    "moved": "live holds them elsewhere",
    "superseded": "live holds them under another key",
    "blocked": "a row that they refer to is gone",
    "conflicting": "they collide with what live holds",
    "unexplained": UNEXPLAINED,
    LEFT_OUT: UNASKED,
}
# Why overwritten links stay as they are.
TURNED = "its links lead to other rows now, and no option turns them back"
# What is not lost: live holds it.
HELD = ("moved", "superseded")


@dataclass(frozen=True)
class Stay:
    """Rows or values that do not come back, for one reason.

    Attributes:
        name: the table.
        column: the column where it is about values, None where it is about missing rows.
        rows: how many, None where that is not known.
        kind: the class of a missing row (`moved` and `superseded` are none of the lost), or
            "left out" of what was not asked for.
        reason: why.
    """

    name: TableName
    column: str | None
    rows: int | None
    kind: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """As `plan.json` has it."""
        return {
            **plain(self.name),
            "column": self.column,
            "rows": self.rows,
            "class": self.kind,
            "reason": self.reason,
        }


def stays(selection: Selection, scope: Scope, returning: Collection[Values]) -> tuple[Stay, ...]:
    """Work out what stays away.

    Args:
        selection: what comes back.
        scope: what was asked for.
        returning: the tables of which overwritten values come back.
    """
    store = selection.store
    found: list[Stay] = []
    for target in (*selection.targets, *selection.aside):
        found += _of_target(target)
    found += _of_tables(selection)
    found += _of_columns(store, scope)
    found += _of_values(store, scope, returning)
    found += _of_links(store, {values.name for values in returning})
    return tuple(found)


def unexplained(found: Collection[Stay]) -> int:
    """How many missing rows stay only because no statement is known to have taken them."""
    return sum(stay.rows or 0 for stay in found if stay.kind == "unexplained")


def turned(found: Collection[Stay]) -> int:
    """How many links lead to other rows now, and stay so."""
    return sum(stay.rows or 0 for stay in found if stay.reason == TURNED)


def _of_target(target: Target) -> Iterator[Stay]:
    """What of a table stays that rows return to."""
    for kind, default in _REASONS.items():
        why = Counter[str]()
        for own, reason, rows in target.staying:
            if own == kind:
                why[reason or default] += rows
        for reason, rows in some(why.most_common()):
            yield Stay(target.name, None, rows, kind, reason)
    unseen = target.missing - target.rows - sum(rows for _, _, rows in target.staying)
    if unseen:
        yield Stay(target.name, None, unseen, "blocked", "the case does not hold them")


def _of_tables(selection: Selection) -> Iterator[Stay]:
    """The missing rows of tables that rows do not return to."""
    held = held_elsewhere(selection.store)
    for result in selection.store.results():
        if result.name not in selection.left:
            continue
        kind, reason = selection.left[result.name]
        if result.missing is None:
            yield Stay(result.name, None, None, kind, reason)
            continue
        yield from _split(result.name, result.missing, held.get(result.name), kind, reason)


def _split(
    name: TableName, missing: int, held: Held | None, kind: str, reason: str
) -> Iterator[Stay]:
    """A table's missing rows: those that live holds elsewhere, and the others."""
    if held and held.rows is None:
        # Their links were not classified: live may hold some of them.
        yield Stay(name, None, missing, kind, f"{reason}; live may hold some of them elsewhere")
        return
    elsewhere = min(missing, (held.rows or 0) if held else 0)
    if held and elsewhere:
        yield Stay(name, None, elsewhere, held.kind, _REASONS[held.kind])
    if missing > elsewhere:
        yield Stay(name, None, missing - elsewhere, kind, reason)


def _of_columns(store: Store, scope: Scope) -> Iterator[Stay]:
    """The values of dropped columns."""
    for change, column in dropped_columns(store, Scope()):
        if not change.values_missing or column.generated:
            continue
        kind, reason = "blocked", why_not(store, change, column)
        if scope.tables and not matching(change.name, (), scope.tables):
            kind, reason = LEFT_OUT, "--table does not name it"
        elif not reason and not scope.columns:
            kind, reason = LEFT_OUT, "the column was dropped; --columns brings its values back"
        if reason:
            yield Stay(change.name, change.column, change.values_missing, kind, reason)


def _of_values(store: Store, scope: Scope, returning: Collection[Values]) -> Iterator[Stay]:
    """The overwritten values."""
    asked = set()
    for values in returning:
        for column in values.columns:
            asked.add((values.name, column.column))
            for reason, rows in column.reasons:
                yield Stay(values.name, column.column, rows, "blocked", reason)
            if column.left:
                yield Stay(values.name, column.column, column.left, LEFT_OUT, UNASKED)
    for entry in store.overwritten() or ():
        if not entry.destroyed or (entry.name, entry.column) in asked:
            continue
        why = "--table does not name it"
        if scope.values:
            why = "--columns does not name it"
        elif scope.into:
            why = "--into lays whole rows, and no values"
        elif scope.narrowed:
            why = UNASKED
        yield Stay(entry.name, entry.column, entry.rows, LEFT_OUT, why)


def _of_links(store: Store, returning: Collection[TableName]) -> Iterator[Stay]:
    """The links that lead to other rows now. Those of overwritten columns come back with them."""
    for entry in (store.get("loss") or {}).get("junctions", ()):
        name = TableName(entry["schema"], entry["table"])
        if entry["overwritten"] and name not in returning:
            columns = ", ".join(_link_columns(entry))
            yield Stay(name, columns or None, entry["overwritten"], "blocked", TURNED)


def _link_columns(entry: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for parent in entry.get("parents") or ():
        if isinstance(parent, Mapping):
            found += parent.get("columns") or ()
    return list(dict.fromkeys(found))  # a polymorphic column names several
