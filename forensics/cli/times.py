"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

from forensics.errors import UsageError


def parse_time(text: str) -> datetime:
    """Read a time (ISO 8601); one without an offset is taken as UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text} is not a time.", "Write it like 2026-01-02T10:40:07Z.") from error
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC)
    return found
