"""side-effect: what triggers, rules and functions take."""

from __future__ import annotations

from forensics.statements.kinds import Code, Reads

CODE = Code(
    "side-effect",
    destroys=True,
    fails=False,
    words="rows went through a trigger, a rule or a function that the statement set off",
)

# What a statement sets off only the database shows: `preflight` and `cause` find it there.
READS: Reads = {}
