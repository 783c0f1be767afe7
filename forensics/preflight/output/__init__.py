"""What a preflight answers, and how people's tools read it: JSON, GitHub, SARIF."""

from forensics.preflight.output.annotations import github
from forensics.preflight.output.answer import (
    Flight,
    Forewarning,
    Rehearsed,
    in_function,
    level,
)
from forensics.preflight.output.comment import comment
from forensics.preflight.output.document import plain_flight
from forensics.preflight.output.sarif import sarif
from forensics.preflight.output.words import sentences

__all__ = [
    "Flight",
    "Forewarning",
    "Rehearsed",
    "comment",
    "github",
    "in_function",
    "level",
    "plain_flight",
    "sarif",
    "sentences",
]
