"""The answer as a comment under a pull request, in Markdown."""

from __future__ import annotations

from forensics.markup import code, table, text
from forensics.preflight.output.answer import Flight, Forewarning, level
from forensics.preflight.output.words import sentences

# By which a later run finds the comment again.
MARK = "<!-- forensics preflight -->"
_SIGNS = {"error": "🔴", "warning": "🟡", "note": "⚪"}


def comment(flight: Flight) -> str:
    """Return the answer as Markdown; its first line is `MARK`."""
    parts = [MARK, f"### {text(' '.join(sentences(flight)))}"]
    loud = [warning for warning in flight.hazards if level(warning) != "note"]
    quiet = [warning for warning in flight.hazards if level(warning) == "note"]
    if loud:
        parts.append(_table(loud))
    if quiet:
        summary = f"{len(quiet)} more, of which none destroys anything"
        parts.append(f"<details><summary>{summary}</summary>\n\n{_table(quiet)}\n\n</details>")
    parts += [text(note) for note in flight.notes]
    return "\n\n".join(parts) + "\n"


def _table(warnings: list[Forewarning]) -> str:
    rows = []
    for warning in warnings:
        place = code(f"{warning.path}:{warning.hazard.line}")
        said = f"{_SIGNS[level(warning)]} {text(warning.sentence)}"
        rows.append((place, code(warning.hazard.code), said))
    return table(("where", "hazard", "what it would do"), rows, words=3)
