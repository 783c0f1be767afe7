"""not-there: a statement changes what is not there."""

from __future__ import annotations

from forensics.statements.kinds import Code, Reads

CODE = Code(
    "not-there",
    destroys=False,
    fails=True,
    words="changes what is not there: fails",
)

# What is there only the database shows: `preflight` finds it.
READS: Reads = {}
