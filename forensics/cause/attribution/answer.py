"""What was worked out, as `cause.json` has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forensics.cause.attribution.accounts import Account
from forensics.cause.attribution.incident import Incident, Unexplained
from forensics.cause.attribution.replaying import Replayed
from forensics.cause.timeline import timeline
from forensics.model import TableName, plain
from forensics.statements.hazards import CODES, Hazard


def answer(incident: Incident, found: Replayed, accounts: Sequence[Account]) -> dict[str, Any]:
    """Return everything that was worked out, as JSON.

    Args:
        accounts: in order; the places of statements are places in it.
    """
    notes = [*incident.history.notes, *found.notes]
    return {
        "migrations": [plain(migration) for migration in incident.history.migrations],
        "statements": [_statement(account) for account in accounts],
        "unexplained": _unexplained_rows(found.unexplained),
        "unexplained_values": _unexplained_values(found.unexplained),
        "unexplained_overwritten": _unexplained_overwritten(incident, found.unexplained),
        "hazards": _hazards(incident),
        "replay": found.said,
        "notes": list(dict.fromkeys(notes)),
        "timeline": timeline(incident.store, incident.history),
    }


def rows_taken(found: Replayed, accounts: Sequence[Account]) -> dict[TableName, pa.Table]:
    """By table, its rows that a statement took: `pair`, and the place of the `statement`."""
    places = {}
    for place, account in enumerate(accounts):
        if account.column is None:
            places[account.step, account.name] = place
    taken = {}
    for name, table in found.taken.items():
        steps = table["step"].unique()
        statements = pa.array([places[step, name] for step in steps.to_pylist()], pa.int32())
        at = pc.index_in(table["step"], steps)
        taken[name] = pa.table({"pair": table["pair"], "statement": statements.take(at)})
    return taken


def _statement(account: Account) -> dict[str, Any]:
    return {
        "migration": account.migration,
        "line": account.statement.line,
        "sql": account.statement.text,
        "hazard": account.hazard,
        **_named(account.name),
        "column": account.column,
        "rows": account.rows,
        "moved": account.moved,
        "moved_to": sorted(set(account.moved_to)),
        "changed": account.changed,
        "blanked": account.blanked,
        "counted": account.counted,
    }


def _unexplained_rows(unexplained: Unexplained) -> list[dict[str, Any]]:
    found = []
    for name, rows in sorted(unexplained.rows.items()):
        if rows:
            found.append({**_named(name), "rows": rows})
    return found


def _unexplained_values(unexplained: Unexplained) -> list[dict[str, Any]]:
    found = []
    for (name, column), values in sorted(unexplained.values.items()):
        if values:
            found.append({**_named(name), "column": column, "values": values})
    return found


def _unexplained_overwritten(
    incident: Incident, unexplained: Unexplained
) -> list[dict[str, Any]] | None:
    """The destroyed values that no statement overwrote; None where that is not known."""
    if incident.store.overwritten() is None:
        return None
    found = []
    for (name, column), values in sorted(unexplained.overwritten.items()):
        if values != 0:
            found.append({**_named(name), "column": column, "values": values})
    return found


def _hazards(incident: Incident) -> list[dict[str, Any]]:
    found = []
    for step in incident.steps:
        for hazard in step.hazards:
            found.append({"migration": step.migration, **_hazard(hazard)})
    return found


def _hazard(hazard: Hazard) -> dict[str, Any]:
    return {
        "line": hazard.line,
        "sql": hazard.sql,
        "hazard": hazard.code,
        "says": CODES[hazard.code].words,
        **_named(hazard.table),
        "column": hazard.column,
        "within": hazard.within,
    }


def _named(name: TableName | None) -> dict[str, str | None]:
    if name is None:
        return {"schema": None, "table": None}
    return {"schema": name.schema, "table": name.table}
