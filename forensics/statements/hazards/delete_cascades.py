"""delete-cascades: rows that hang on deleted ones."""

from __future__ import annotations

from forensics.statements.kinds import Code, Reads

CODE = Code(
    "delete-cascades",
    destroys=True,
    fails=True,
    words="rows of another table go with the deleted ones, or forbid the deletion",
)

# Which rows hang on the deleted ones only the data shows: `preflight` and `cause` find it there.
READS: Reads = {}
