"""What was worked out, as `cause.json` has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forensics.cause.attribution.accounts import Account
from forensics.cause.attribution.incident import Incident, Unexplained
from forensics.cause.attribution.replaying import Replayed
from forensics.cause.timeline import timeline
from forensics.documents import plain
from forensics.evidence import arrays
from forensics.evidence.migrations import NOT_UNDERSTOOD
from forensics.model import TableName
from forensics.statements.hazards import CODES, Hazard


def answer(incident: Incident, found: Replayed, accounts: Sequence[Account]) -> dict[str, Any]:
    """Return everything that was worked out, as JSON.

    Args:
        accounts: in order; the places of statements are places in it.
    """
    uncounted = _uncounted(found, _that_count(incident, accounts))
    unknown = [*incident.history.unknown, *uncounted]
    # Where it is not known which statements ran, nothing was held against the rest.
    attributed = not incident.history.unknown
    unexplained = {
        "unexplained": _unexplained_rows(incident, found.unexplained, attributed),
        "unexplained_values": _unexplained_values(incident, found.unexplained, attributed),
        "unexplained_overwritten": _unexplained_overwritten(incident, found, attributed),
    }
    if any(unexplained.values()):
        unknown += incident.history.unread  # they may have done it
    notes = dict.fromkeys([*incident.history.notes, *found.notes])
    for sentence in unknown:
        notes.pop(sentence, None)
    return {
        "migrations": [plain(migration) for migration in incident.history.migrations],
        "statements": [_statement(account, incident) for account in accounts],
        **unexplained,
        "unknown": unknown,
        "hazards": _hazards(incident),
        "replay": found.said,
        "notes": list(notes),
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
        statements = arrays.numbers([places[step, name] for step in steps.to_pylist()])
        at = pc.index_in(table["step"], steps)
        taken[name] = pa.table({"pair": table["pair"], "statement": statements.take(at)})
    return taken


def _statement(account: Account, incident: Incident) -> dict[str, Any]:
    beside = {}
    if incident.is_history(account.name):
        beside["history"] = True
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
        **beside,
    }


def _uncounted(found: Replayed, accounts: Iterable[Account]) -> Iterator[str]:
    """What statements took that nobody could count, in sentences."""
    for account in accounts:
        if None not in (account.rows, account.changed):
            continue
        what = ""
        if account.name:
            what = f" to {account.name}"
        if account.column:
            what += f".{account.column}"
        why = found.failed.get(account.step, "its rows could not be followed")
        if account.statement.kind == NOT_UNDERSTOOD:
            why = f"the parser does not know it ({found.failed.get(account.step, 'not replayed')})"
        yield (
            f"What line {account.statement.line} of {account.migration} did{what} "
            f"is not known, because: {why}."
        )


def _that_count(incident: Incident, accounts: Iterable[Account]) -> Iterator[Account]:
    """Those of tables that were compared and count, and those that may be of any."""
    for account in accounts:
        somewhere = account.name is None or account.name in incident.results
        if somewhere and not incident.is_history(account.name):
            yield account


def _unexplained_rows(
    incident: Incident, unexplained: Unexplained, attributed: bool
) -> list[dict[str, Any]]:
    found = []
    for name, rows in sorted(unexplained.rows.items()):
        if rows and not incident.is_history(name):
            found.append({**_named(name), "rows": rows if attributed else None})
    return found


def _unexplained_values(
    incident: Incident, unexplained: Unexplained, attributed: bool
) -> list[dict[str, Any]]:
    found = []
    for (name, column), values in sorted(unexplained.values.items()):
        if values and not incident.is_history(name):
            known = values if attributed else None
            found.append({**_named(name), "column": column, "values": known})
    return found


def _unexplained_overwritten(
    incident: Incident, found: Replayed, attributed: bool
) -> list[dict[str, Any]] | None:
    """The destroyed values that no statement overwrote; None where that is not known."""
    if incident.store.overwritten() is None or not attributed:
        return None
    said = []
    for (name, column), values in sorted(found.unexplained.overwritten.items()):
        if values != 0:
            said.append({**_named(name), "column": column, "values": values})
    return said


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
