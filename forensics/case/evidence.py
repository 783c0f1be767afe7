"""Provenance of both sides, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass, fields

from forensics.case.showing import cell, escaped, heading, shown
from forensics.model import Provenance
from forensics.text import moment

_HEAD = "<thead><tr><td></td>{}{}</tr></thead>"


@dataclass(frozen=True)
class Evidence:
    """Where both sides came from."""

    backup: Provenance
    live: Provenance

    @property
    def as_of(self) -> str:
        """From when the two sides are, as far as they say, in a sentence."""
        backup, live = "the backup", "live"
        if self.backup.dumped_at:
            backup = f"the backup of {moment(self.backup.dumped_at)}"
        seen = self.live.taken_at or self.live.dumped_at
        if seen:
            live = f"live as it was on {moment(seen)}"
        return f"It compares {backup} with {live}."

    def _repr_html_(self) -> str:
        rows = []
        for field in fields(Provenance):
            values = [getattr(side, field.name) for side in (self.backup, self.live)]
            if all(value in (None, "") for value in values):
                continue
            name = heading(escaped(field.name.replace("_", " ")))
            cells = [cell(escaped(shown(value))) for value in values]
            rows.append(f"<tr>{name}{''.join(cells)}</tr>")
        head = _HEAD.format(heading("backup"), heading("live"))
        return f"<table>{head}<tbody>{''.join(rows)}</tbody></table>"
