"""What a preflight answers: hazards with their numbers, and how people's tools read them (JSON, GitHub, SARIF)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from forensics.model import TableName
from forensics.statements.hazards import CODES, Hazard
from forensics.text import visible


@dataclass(frozen=True)
class Forewarning:
    """A hazard, counted.

    Attributes:
        migration, path: where it stands.
        rows: what it would destroy, or what stands in its way; None where that could not be counted.
        fails: whether the statement would fail on the data as it is.
        destroys: whether `rows` would be destroyed.
        says: what it would do, in a sentence.
        table_rows, table_bytes: how large the table is, for what goes through it or holds it up; None where unknown.
    """

    migration: str
    path: str
    hazard: Hazard
    rows: int | None = None
    fails: bool = False
    destroys: bool = False
    says: str = ""
    table_rows: int | None = None
    table_bytes: int | None = None


@dataclass(frozen=True)
class Rehearsed:
    """One statement of a rehearsal: what it took from which table, how long it took, and why it failed if it did."""

    migration: str
    line: int
    sql: str
    seconds: float
    error: str | None
    took: dict[str, int]


@dataclass(frozen=True)
class Flight:
    """The answer of a preflight.

    Attributes:
        hazards: in the order in which they would come true.
        migrations: the names of those that were looked at.
        notes: what could not be looked at, and why.
        rehearsal: what the statements did on a copy; None without one.
        followed: the tables whose rows were followed in the rehearsal.
    """

    hazards: tuple[Forewarning, ...]
    migrations: tuple[str, ...]
    notes: tuple[str, ...] = ()
    rehearsal: tuple[Rehearsed, ...] | None = None
    followed: frozenset[TableName] = frozenset()

    @property
    def destroys(self) -> bool:
        """Whether a row or a value would be destroyed, by count or in the rehearsal."""
        return any(h.destroys and h.rows for h in self.hazards) or any(
            r.took for r in self.rehearsal or ()
        )

    @property
    def uncounted(self) -> bool:
        """Whether something that may destroy could neither be counted nor be seen in the rehearsal."""
        followed = self.followed if not any(r.error for r in self.rehearsal or ()) else frozenset()
        open_ = (
            h for h in self.hazards if h.rows is None and not h.fails and not in_function(h.hazard)
        )
        return any(
            (h.destroys or h.hazard.code == "dynamic-sql") and h.hazard.table not in followed
            for h in open_
        )

    @property
    def fails(self) -> bool:
        """Whether a statement would fail on the data as it is."""
        return any(h.fails for h in self.hazards) or any(r.error for r in self.rehearsal or ())


def in_function(hazard: Hazard) -> bool:
    """Whether it stands in a function that the migration makes: nothing happens before that is called."""
    return (hazard.within or "").startswith("function")


# --- what machines read --------------------------------------------------------------------------


def plain_flight(flight: Flight) -> dict[str, Any]:
    """Return the answer as `preflight --json` has it."""
    found: dict[str, Any] = {
        "hazards": [
            {
                "line": w.hazard.line,
                "sql": w.hazard.sql,
                "hazard": w.hazard.code,
                "schema": w.hazard.table.schema if w.hazard.table else None,
                "table": w.hazard.table.table if w.hazard.table else None,
                "column": w.hazard.column,
                "rows": w.rows,
                "fails": w.fails,
                "destroys": w.destroys,
                "says": w.says,
                "columns": list(w.hazard.columns),
                "within": w.hazard.within,
                "migration": w.migration,
                "file": w.path,
                "table_rows": w.table_rows,
                "table_bytes": w.table_bytes,
            }
            for w in flight.hazards
        ],
        "migrations": list(flight.migrations),
        "notes": list(flight.notes),
    }
    if flight.rehearsal is not None:
        found["rehearsal"] = [
            {
                "migration": r.migration,
                "line": r.line,
                "sql": r.sql,
                "seconds": r.seconds,
                "error": r.error,
                "took": r.took,
            }
            for r in flight.rehearsal
        ]
    return found


def level(warning: Forewarning) -> str:
    """How loud a warning is: "error" where data would go or the statement would fail, "warning" where that is open, else "note"."""
    if warning.fails or (warning.destroys and warning.rows):
        return "error"
    unknown = warning.rows is None and (
        warning.hazard.destroys or warning.hazard.code == "dynamic-sql"
    )
    return "warning" if unknown else "note"


def github(flight: Flight) -> str:
    """Return the hazards as workflow commands that GitHub shows beside the lines of a pull request.

    Source: GitHub's documentation, "Workflow commands for GitHub Actions" (error, warning, notice; escapes).
    """
    words = {"error": "error", "warning": "warning", "note": "notice"}

    def data(text: str) -> str:
        return visible(text).replace("%", "%25")

    def value(text: str) -> str:
        return data(text).replace(":", "%3A").replace(",", "%2C")

    return "".join(
        f"::{words[level(w)]} file={value(w.path)},line={w.hazard.line},title={value(w.hazard.code)}::{data(_sentence(w))}\n"
        for w in flight.hazards
    )


def _sentence(warning: Forewarning) -> str:
    where = (
        f"{warning.hazard.table}: "
        if warning.hazard.table and str(warning.hazard.table) not in warning.says
        else ""
    )
    return f"{where}{warning.says}"


def _brackets(text: str) -> str:
    """Text in which SARIF sees no link."""
    return re.sub(r"([\\\[\]])", r"\\\1", visible(text))


def sarif(flight: Flight, version: str) -> dict[str, Any]:
    """Return the hazards as SARIF 2.1.0, which code scanning services take.

    Args:
        version: the kit's version.
    """
    codes = sorted({w.hazard.code for w in flight.hazards})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "forensics preflight",
                        "version": version,
                        "rules": [
                            {"id": c, "shortDescription": {"text": CODES[c].words}} for c in codes
                        ],
                    }
                },
                "results": [
                    {
                        "ruleId": w.hazard.code,
                        "ruleIndex": codes.index(w.hazard.code),
                        "level": level(w),
                        "message": {"text": _brackets(_sentence(w))},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": quote(Path(w.path).as_posix())},
                                    "region": {"startLine": w.hazard.line},
                                }
                            }
                        ],
                        "properties": {"rows": w.rows, "fails": w.fails},
                    }
                    for w in flight.hazards
                ],
            }
        ],
    }
