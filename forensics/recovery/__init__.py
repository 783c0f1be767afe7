"""What can come back, at what price, and proof before anyone touches live.

Nothing here ever writes to live. Rows are chosen (`choose`), scripts are written (`write`) and
rehearsed on copies (`rehearse`); `make_plan` does all three. The names are loaded when they
are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.loading import lazily

if TYPE_CHECKING:
    from forensics.recovery.choose.options import UNREHEARSED, Option
    from forensics.recovery.choose.targets import CLASSES, Scope
    from forensics.recovery.plan import Plan
    from forensics.recovery.planning import make_plan
    from forensics.recovery.proof import Proof, Rehearsal, Tell, silent
    from forensics.recovery.wishes import SKIPPABLE, Wishes
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

_HOMES = {
    "CLASSES": "choose.targets",
    "Option": "choose.options",
    "Plan": "plan",
    "Proof": "proof",
    "Rehearsal": "proof",
    "SKIPPABLE": "wishes",
    "Scope": "choose.targets",
    "Tell": "proof",
    "UNREHEARSED": "choose.options",
    "Wishes": "wishes",
    "make_plan": "planning",
    "markdown": "write.runbook",
    "silent": "proof",
}

__getattr__ = lazily(__name__, _HOMES)
