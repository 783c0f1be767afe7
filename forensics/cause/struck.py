"""Which statements of a `cause.json` did anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def has_struck(statement: Mapping[str, Any]) -> bool:
    """Whether a statement took or changed something, or may have.

    What became of a migration tool's own history is nothing of the kind.
    """
    if statement.get("history"):
        return False
    numbers = statement["rows"], statement.get("changed", 0), statement.get("blanked", 0)
    return None in numbers or any(numbers)
