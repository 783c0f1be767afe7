"""Migrations that are code, which nobody reads."""

from __future__ import annotations

from forensics.evidence.migrations import Unread
from forensics.preflight.output import Forewarning
from forensics.statements.hazards import CODES, NOT_READ, Hazard


def not_read(unread: Unread) -> Forewarning:
    """A migration in code among the hazards: open, and never passed over."""
    text = unread.path.read_bytes()
    line = 1
    if unread.part:
        line += text.count(b"\n", 0, unread.part.start)
    hazard = Hazard(NOT_READ, line, "")
    return Forewarning(unread.name, str(unread.path), hazard, says=CODES[NOT_READ].words)
