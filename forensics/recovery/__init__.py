"""What can come back, at what price, and proof before anyone touches live. Nothing here ever writes to live."""

from forensics.recovery.options import UNREHEARSED, Option
from forensics.recovery.plan import Plan, make_plan
from forensics.recovery.proof import Proof, Tell, silent
from forensics.recovery.rehearsal import Rehearsal
from forensics.recovery.selection import Scope
from forensics.recovery.stage import SKIPPABLE, Wishes

__all__ = ["SKIPPABLE", "UNREHEARSED", "Option", "Plan", "Proof", "Rehearsal", "Scope", "Tell", "Wishes", "make_plan", "silent"]
