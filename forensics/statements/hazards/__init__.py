"""Hazards: what a statement can destroy, fail on, or hold up, read from its parse tree.

Nothing is executed or counted. Each kind has a code, a file here that reads it, and a page that
bears its name: docs/hazards/CODE.md (problem, example, way out). `known` lists them.

The names of hazards and the habit of one page a code follow squawk; typed hazards follow
stripe/pg-schema-diff. Source for what locks and rewrites: the PostgreSQL manual, ALTER TABLE
(Notes) and Explicit Locking.
"""

from forensics.statements.hazards.hazard import Hazard, destructive
from forensics.statements.hazards.known import CODES, HAZARDS, NOT_READ, UNREAD
from forensics.statements.hazards.migration import hazards_of, read_hazards
from forensics.statements.hazards.reader import Reader
from forensics.statements.kinds import Code
from forensics.statements.scope import heirs, resolve
from forensics.statements.tree import calls, ranges, spoken_of, walk, what_runs
from forensics.statements.widening import widens

__all__ = [
    "CODES",
    "HAZARDS",
    "NOT_READ",
    "UNREAD",
    "Code",
    "Hazard",
    "Reader",
    "calls",
    "destructive",
    "hazards_of",
    "heirs",
    "ranges",
    "read_hazards",
    "resolve",
    "spoken_of",
    "walk",
    "what_runs",
    "widens",
]
