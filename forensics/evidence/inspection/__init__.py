"""What a backup holds, whether it is whole, and whether it can answer the question at all."""

from __future__ import annotations

from forensics.evidence.inspection.looking import inspect_backup
from forensics.evidence.inspection.result import Held, Inspection

__all__ = ["Held", "Inspection", "inspect_backup"]
