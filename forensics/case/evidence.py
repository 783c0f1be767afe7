"""Provenance of both sides, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass, fields

from forensics.case.showing import cell, escaped, heading, shown
from forensics.model import Provenance

_HEAD = "<thead><tr><th></th><th>backup</th><th>live</th></tr></thead>"


@dataclass(frozen=True)
class Evidence:
    """Where both sides came from."""

    backup: Provenance
    live: Provenance

    def _repr_html_(self) -> str:
        rows = []
        for field in fields(Provenance):
            values = [getattr(side, field.name) for side in (self.backup, self.live)]
            if all(value in (None, "") for value in values):
                continue
            name = heading(escaped(field.name.replace("_", " ")))
            cells = [cell(escaped(shown(value))) for value in values]
            rows.append(f"<tr>{name}{''.join(cells)}</tr>")
        return f"<table>{_HEAD}<tbody>{''.join(rows)}</tbody></table>"
