"""The incident window, as it is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forensics.case.evidence import escaped, inert, shown

if TYPE_CHECKING:
    import pandas as pd


class Window:
    """From the backup to the incident, and what was probably written in between and is in neither side.

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
        """One row a junction table: how many of its rows are in neither side (low, likely, high: a 90 % interval), and why."""
        import pandas as pd

        frame = pd.DataFrame(
            self._value["unobservable"],
            columns=["schema", "table", "low", "likely", "high", "basis"],
        )
        return frame.astype(dict.fromkeys(("low", "likely", "high"), "Int64"))

    def __repr__(self) -> str:
        return f"<Window {shown(self.backup_at)} to {shown(self.incident_at)}>"

    def _repr_html_(self) -> str:
        length = str(timedelta(seconds=round(self.seconds))) if self.seconds is not None else "–"
        rows = [
            ("backup", shown(self.backup_at), self.basis.get("backup_at", "")),
            ("incident", shown(self.incident_at), self.basis.get("incident_at", "")),
            ("between them", length, ""),
        ]
        cells = "".join(
            f"<tr><th style='text-align:left'>{a}</th><td style='text-align:left'>{escaped(b)}</td>"
            f"<td style='text-align:left'>{escaped(c)}</td></tr>"
            for a, b, c in rows
        )
        table = inert(self.unobservable).to_html(index=False, na_rep="–", border=0)
        return f"<table><tbody>{cells}</tbody></table><p>Written in between, and in neither side:</p>{table}"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
