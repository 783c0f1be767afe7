"""The answer in sentences."""

from __future__ import annotations

from forensics.preflight.output.answer import Flight
from forensics.statements.hazards import NOT_READ
from forensics.text import plural


def sentences(flight: Flight) -> list[str]:
    """What would happen, the gravest first."""
    taken = failing = rehearsed = 0
    for warning in flight.hazards:
        failing += warning.fails
        if warning.destroys:
            taken += warning.rows or 0
    for step in flight.rehearsal or ():
        rehearsed += sum(step.took.values())
    said = ["Nothing that was counted would be destroyed."]
    if taken:
        said = [f"{taken:,} rows and values would be destroyed or overwritten."]
    if rehearsed:
        said.append(f"The rehearsal took {rehearsed:,}.")
    if failing:
        said.append(
            f"{failing} {plural(failing, 'hazard')} would make a statement fail "
            "on the data as it is."
        )
    if flight.uncounted:
        said.append(_left_open(flight))
    return said


def _left_open(flight: Flight) -> str:
    words = "Something that may destroy could not be counted"
    left = {warning.hazard.code for warning in flight.hazards if warning.uncounted}
    if flight.rehearsal is not None or left == {NOT_READ}:
        return f"{words}."
    return f"{words}; --rehearse runs it on a copy."
