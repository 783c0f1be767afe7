"""Which check counts which hazard."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from forensics.preflight.counts import cascades, conversions, objects, obstacles, rows
from forensics.preflight.counts.view import Finding, Subject, View
from forensics.statements.hazards import UNREAD, Hazard

# By code, those that are about a table that is there,
_OF_A_TABLE: dict[str, Callable[[View, Subject], Iterator[Finding]]] = {
    "drop-table": objects.drop_table,
    "truncate": objects.truncate,
    "delete-all": rows.delete,
    "delete-where": rows.delete,
    "add-not-null-column": obstacles.new_not_null,
    "add-unique": obstacles.unique,
    "add-check": obstacles.check,
}
# about a column that is there,
_OF_A_COLUMN: dict[str, Callable[[View, Subject], Iterator[Finding]]] = {
    "drop-column": objects.drop_column,
    "drop-type": objects.drop_column,
    "update-all": rows.update,
    "update-where": rows.update,
    "set-not-null": obstacles.not_null,
    "type-change": conversions.change_type,
}
# and about whatever the hazard says.
_OTHERS: dict[str, Callable[[View, Hazard], Iterator[Finding]]] = {
    "drop-schema": objects.drop_schema,
    "drop-cascade": cascades.cascade,
    "truncate-cascade": cascades.cascade,
    "detach-partition": objects.detach_partition,
    "add-foreign-key": obstacles.foreign_key,
}


def check(view: View, hazard: Hazard) -> Iterator[Finding]:
    """Count one hazard; of a kind that is not counted, say that it is there.

    Raises:
        LiveError: live refuses a question.
    """
    code = hazard.code
    if code == "drop-type" and hazard.table is None:
        yield from objects.drop_type(view, hazard)
    elif code in _OF_A_TABLE or code in _OF_A_COLUMN:
        subject = _subject(view, hazard)
        if subject is None:
            yield _absent(view, hazard)
        else:
            counted = _OF_A_TABLE.get(code) or _OF_A_COLUMN[code]
            yield from counted(view, subject)
    elif code in _OTHERS:
        yield from _OTHERS[code](view, hazard)
    else:
        unread = code in UNREAD and not hazard.known
        yield Finding(hazard, None if unread else 0, destroys=False)


def _subject(view: View, hazard: Hazard) -> Subject | None:
    """The table or column that a hazard is about; None where it is not there."""
    virtual = view.table(hazard)
    if virtual is None or hazard.table is None:
        return None
    column = hazard.column or ""
    if hazard.code in _OF_A_COLUMN and column not in virtual.columns:
        return None
    return Subject(hazard, hazard.table, virtual, column)


def _absent(view: View, hazard: Hazard) -> Finding:
    """A statement that names what is not there: IF EXISTS passes over it, all else fails."""
    passed = getattr(hazard.node, "missing_ok", False)
    if hazard.table not in view.tables:
        # ALTER TABLE IF EXISTS
        passed = passed or getattr(view.statement.node, "missing_ok", False)
    what = str(hazard.table)
    if hazard.column:
        what = f"{what}.{hazard.column}"
    fails = not passed and not hazard.within
    return Finding(hazard, 0, f"{what} is not there", fails, destroys=False)
