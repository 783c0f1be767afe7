"""What can come back, at what price, and proof before anyone touches live. Nothing here ever writes to live."""

from forensics.recovery.options import Option
from forensics.recovery.plan import Plan, Wishes, make_plan
from forensics.recovery.rehearsal import Rehearsal
from forensics.recovery.selection import Scope

__all__ = ["Option", "Plan", "Rehearsal", "Scope", "Wishes", "make_plan"]
