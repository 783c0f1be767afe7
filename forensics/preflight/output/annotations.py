"""The answer as GitHub shows it beside the lines of a pull request.

Source: GitHub's documentation, "Workflow commands for GitHub Actions" (error, warning,
notice; escapes).
"""

from __future__ import annotations

from forensics.preflight.output.answer import Flight, level
from forensics.text import visible

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def github(flight: Flight) -> str:
    """Return the hazards as workflow commands, a line each."""
    lines = []
    for warning in flight.hazards:
        command = _COMMANDS[level(warning)]
        path = _value(warning.path)
        title = _value(warning.hazard.code)
        place = f"file={path},line={warning.hazard.line},title={title}"
        lines.append(f"::{command} {place}::{_data(warning.sentence)}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return visible(text).replace("%", "%25")


def _value(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
