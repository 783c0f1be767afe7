"""The questions to the catalogue: a file each, with the question in words above it."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def query(name: str) -> str:
    """Return the text of `queries/NAME.sql`."""
    file = resources.files("forensics.evidence.live").joinpath("queries", f"{name}.sql")
    return file.read_text(encoding="utf-8")
