"""When it happened, and what was probably written and destroyed in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics import figures
from forensics.markup import bullets, code, table, text
from forensics.report.document import Document, of
from forensics.report.pictures import in_both_widths
from forensics.report.sections.section import Context, Section
from forensics.text import count, moment

_HEAD = ("table", "at least", "likely", "at most", "estimated from")
_ESTIMATED = (
    "Rows that were written after the backup and destroyed before anyone looked are in "
    "neither side; they are estimated:"
)


def html(d: Document) -> Context | None:
    """The time line, and the estimate."""
    if len(d.moments) < 2:
        return None
    return {
        "figure": in_both_widths(figures.timeline, d.moments),
        "estimated": estimated(d),
    }


def estimated(d: Document) -> list[Mapping[str, Any]]:
    """The tables that may have had rows in neither side; where none can have been, none."""
    found = []
    for entry in (d.window or {}).get("unobservable") or ():
        if entry["high"] != 0:
            found.append(entry)
    return found


def markdown(d: Document) -> list[str]:
    """The moments, and the estimate."""
    if len(d.moments) < 2:
        return []
    said = [f"{one.said}: {moment(one.at)}" for one in d.moments]
    parts = ["## When", bullets(said)]
    rows = []
    for entry in estimated(d):
        rows.append(
            (
                code(of(entry)),
                count(entry["low"]),
                count(entry["likely"]),
                count(entry["high"]),
                text(entry["basis"]),
            )
        )
    if rows:
        parts += [_ESTIMATED, table(_HEAD, rows)]
    return parts


SECTION = Section("window", "The incident window", html, markdown)
