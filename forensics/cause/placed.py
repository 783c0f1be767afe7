"""Where one migration stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["applied", "marked as applied", "rolled back", "failed", "pending"]
FileState = Literal["match", "edited", "absent"]


@dataclass(frozen=True)
class Placed:
    """One migration, as both histories and the folder have it.

    Attributes:
        in_backup, in_live: None where that side's history could not be read, or keeps the newest
            migration alone.
        file: None where it is there and cannot be told from an edited one.
        state: what live's history says, or the backup's where live says nothing; None where
            neither does and live's could not be read.
        attempts: the number of rows with its name.
        checked: False where the tool keeps no checksum, so that a file cannot be told from an
            edited one.
    """

    name: str
    applied_at: datetime | None
    in_backup: bool | None
    in_live: bool | None
    file: FileState | None
    rolled_back: bool
    state: State | None
    attempts: int = 0
    checked: bool = True
    tool: str | None = None
