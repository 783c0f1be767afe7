"""What can come back, at what price, and proof before anyone touches live. Nothing here ever writes to live."""

from forensics.recovery.choose.options import UNREHEARSED, Option
from forensics.recovery.choose.selection import CLASSES, Scope
from forensics.recovery.plan import Plan, make_plan
from forensics.recovery.rehearse.proof import Proof, Tell, silent
from forensics.recovery.rehearse.rehearsal import Rehearsal
from forensics.recovery.rehearse.stage import SKIPPABLE, Wishes
from forensics.recovery.write.runbook import markdown

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
