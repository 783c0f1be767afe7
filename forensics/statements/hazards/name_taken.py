"""name-taken: what a statement makes has the name of something that is there."""

from __future__ import annotations

from forensics.statements.kinds import Code, Reads

CODE = Code(
    "name-taken",
    destroys=False,
    fails=True,
    words="makes, or names, what is there already under that name: fails",
)

# What is there only the database shows: `preflight` finds it.
READS: Reads = {}
