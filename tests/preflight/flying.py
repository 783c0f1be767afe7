"""Looking at a migration, as the tests do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import read_folder
from forensics.preflight.check import pending, preflight
from forensics.preflight.output import Flight


def fly(path: Path, dsn: str, **how: Any) -> Flight:
    with LiveSource(dsn) as live:
        folder = read_folder(path)
        return preflight(pending(folder, live), live, folder=folder, **how)
