"""What a preflight answers, and how people's tools read it: JSON, GitHub, SARIF."""

from forensics.preflight.output.annotations import github
from forensics.preflight.output.answer import (
    Flight,
    Forewarning,
    Rehearsed,
    in_function,
    level,
)
from forensics.preflight.output.document import plain_flight
from forensics.preflight.output.sarif import sarif

__all__ = [
    "Flight",
    "Forewarning",
    "Rehearsed",
    "github",
    "in_function",
    "level",
    "plain_flight",
    "sarif",
]
