"""What runs beside a statement: triggers and rules of the tables that it writes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.preflight.counts.view import Finding, View
from forensics.preflight.output import Forewarning, in_function
from forensics.preflight.surroundings import Beside
from forensics.statements.hazards import CODES, UNREAD, Hazard, walk

_EVENTS = {
    "delete-all": "delete",
    "delete-where": "delete",
    "update-all": "update",
    "update-where": "update",
    "truncate": "truncate",
    "truncate-cascade": "truncate",
}


def beside(view: View, found: Sequence[Forewarning]) -> Iterator[Finding]:
    """Say what triggers and rules may destroy; only running them counts it.

    Args:
        view: what is seen before the statement.
        found: what was found of it.
    """
    statement = view.statement
    events = _written(found) + _inserted(view, statement)
    for name, event in dict.fromkeys(events):
        for one in view.around.set_off(name, event):
            yield from _set_off(view, name, one)


def _set_off(view: View, name: TableName, one: Beside) -> Iterator[Finding]:
    """What a trigger or a rule of a table may destroy."""
    reader = view.forecast.reader(view.around.functions)
    within = f"{one.name} of {name}"
    kinds: dict[tuple[str, TableName | None], None] = {}
    for hazard in reader.defined(one.definition, within):
        unread = hazard.code in UNREAD and not hazard.known
        if hazard.destroys or unread:
            kinds[hazard.code, hazard.table] = None
    statement = view.statement
    for code, table in kinds:
        hazard = Hazard(
            "side-effect",
            statement.line,
            statement.text,
            table,
            within=within,
            node=statement.node,
        )
        where = f" ({table})" if table else ""
        does = f"{CODES[code].words}{where}"
        says = f"sets off {within}, which {does}; what that takes was not counted"
        yield Finding(hazard, None, says)


def _written(found: Sequence[Forewarning]) -> list[tuple[TableName, str]]:
    """The tables that a statement deletes from or updates, by what was found of it, and how."""
    events = []
    for warning in found:
        hazard = warning.hazard
        if warning.fails or hazard.table is None or in_function(hazard):
            continue
        event = _event(hazard)
        if event:
            events.append((hazard.table, event))
    return events


def _event(hazard: Hazard) -> str | None:
    """The event that a hazard is for the triggers of its table."""
    if hazard.code == "delete-cascades":
        return "update" if hazard.column else "delete"
    return _EVENTS.get(hazard.code)


def _inserted(view: View, statement: Statement) -> list[tuple[TableName, str]]:
    """The tables that a statement inserts into, wherever in it."""
    found: list[tuple[TableName, str]] = []
    if statement.kind == "create_function_stmt":
        return found
    for message in walk(statement.node):
        if message.DESCRIPTOR.name in ("InsertStmt", "MergeStmt"):
            found.append((view.standing.name(message.relation), "insert"))
    return found
