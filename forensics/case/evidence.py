"""Provenance of both sides, as it is shown."""

from __future__ import annotations

import html
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forensics.model import Provenance
from forensics.text import visible

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Evidence:
    """Where both sides came from."""

    backup: Provenance
    live: Provenance

    def _repr_html_(self) -> str:
        names = [f.name for f in fields(Provenance)]
        rows = []
        for name in names:
            values = [getattr(side, name) for side in (self.backup, self.live)]
            if any(v not in (None, "") for v in values):
                cells = "".join(
                    f"<td style='text-align:left'>{escaped(shown(v))}</td>" for v in values
                )
                rows.append(
                    f"<tr><th style='text-align:left'>{escaped(name.replace('_', ' '))}</th>{cells}</tr>"
                )
        return f"<table><thead><tr><th></th><th>backup</th><th>live</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"


def escaped(text: object) -> str:
    """Return text for HTML: neither a tag nor anything else in it is obeyed."""
    return html.escape(visible(text))


def inert(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table for `to_html`, which escapes tags: what else might be obeyed in its texts and headings is visible."""
    calm = frame.astype(object).map(lambda v: visible(v) if isinstance(v, str) else v)
    return calm.rename(columns=lambda c: visible(c) if isinstance(c, str) else c)


def shown(value: Any) -> str:
    """Return a fact as people read it."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
