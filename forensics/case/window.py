"""The incident window, as it is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forensics.case.showing import cell, escaped, heading, shown, table

if TYPE_CHECKING:
    import pandas as pd

_BOUNDS = ("low", "likely", "high")


class Window:
    """From the backup to the incident, and what was probably written in between.

    Attributes:
        backup_at, incident_at: in UTC, None where nothing says them.
        seconds: between them.
        basis: by "backup_at" and "incident_at", what says so.
    """

    def __init__(self, value: dict[str, Any]) -> None:
        self._value = value
        self.backup_at = _time(value["backup_at"])
        self.incident_at = _time(value["incident_at"])
        self.seconds: float | None = value["seconds"]
        self.basis: dict[str, str] = value.get("basis", {})

    @property
    def unobservable(self) -> pd.DataFrame:
        """One row a junction table: how many of its rows are in neither side, and why.

        Columns low, likely and high are a 90 % interval.
        """
        import pandas as pd

        columns = ["schema", "table", *_BOUNDS, "basis"]
        frame = pd.DataFrame(self._value["unobservable"] or (), columns=columns)
        return frame.astype(dict.fromkeys(_BOUNDS, "Int64"))

    def __repr__(self) -> str:
        return f"<Window {shown(self.backup_at)} to {shown(self.incident_at)}>"

    def _repr_html_(self) -> str:
        length = "–"
        if self.seconds is not None:
            length = str(timedelta(seconds=round(self.seconds)))
        rows = [
            _row("backup", shown(self.backup_at), self.basis.get("backup_at", "")),
            _row("incident", shown(self.incident_at), self.basis.get("incident_at", "")),
            _row("between them", length, ""),
        ]
        return (
            f"<table><tbody>{''.join(rows)}</tbody></table>"
            f"<p>Written in between, and in neither side:</p>{table(self.unobservable)}"
        )


def _row(name: str, what: str, basis: str) -> str:
    return f"<tr>{heading(name)}{cell(escaped(what))}{cell(escaped(basis))}</tr>"


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    return datetime.fromisoformat(text)
