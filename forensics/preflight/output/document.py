"""The answer as `preflight --json` has it."""

from __future__ import annotations

from typing import Any

from forensics.preflight.output.answer import Flight, Forewarning, Rehearsed


def plain_flight(flight: Flight) -> dict[str, Any]:
    """Return the answer as `preflight --json` has it."""
    found: dict[str, Any] = {
        "hazards": [_plain_warning(w) for w in flight.hazards],
        "migrations": list(flight.migrations),
        "notes": list(flight.notes),
    }
    if flight.rehearsal is not None:
        found["rehearsal"] = [_plain_step(step) for step in flight.rehearsal]
    return found


def _plain_warning(warning: Forewarning) -> dict[str, Any]:
    hazard = warning.hazard
    schema, table = hazard.table or (None, None)
    return {
        "line": hazard.line,
        "sql": hazard.sql,
        "hazard": hazard.code,
        "schema": schema,
        "table": table,
        "column": hazard.column,
        "rows": warning.rows,
        "fails": warning.fails,
        "destroys": warning.destroys,
        "says": warning.says,
        "columns": list(hazard.columns),
        "within": hazard.within,
        "migration": warning.migration,
        "file": warning.path,
        "table_rows": warning.table_rows,
        "table_bytes": warning.table_bytes,
    }


def _plain_step(step: Rehearsed) -> dict[str, Any]:
    return {
        "migration": step.migration,
        "line": step.line,
        "sql": step.sql,
        "seconds": step.seconds,
        "error": step.error,
        "took": step.took,
    }
