"""not-read: a migration in a language, of which there is no SQL."""

from __future__ import annotations

from forensics.statements.kinds import Code, Reads

CODE = Code(
    "not-read",
    destroys=False,
    fails=False,
    words="is code, and there is no SQL of it: what it does is not known",
)
READS: Reads = {}  # no statement is one
