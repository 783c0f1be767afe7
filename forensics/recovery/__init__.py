"""What can come back, at what price, and proof before anyone touches live. Nothing here ever writes to live."""

from forensics.recovery.options import UNREHEARSED, Option
from forensics.recovery.plan import Plan, make_plan
from forensics.recovery.proof import Proof, Tell, silent
from forensics.recovery.rehearsal import Rehearsal
from forensics.recovery.runbook import markdown
from forensics.recovery.selection import CLASSES, Scope
from forensics.recovery.stage import SKIPPABLE, Wishes

__all__ = [
    "CLASSES",
    "SKIPPABLE",
    "UNREHEARSED",
    "Option",
    "Plan",
    "Proof",
    "Rehearsal",
    "Scope",
    "Tell",
    "Wishes",
    "make_plan",
    "markdown",
    "silent",
]
