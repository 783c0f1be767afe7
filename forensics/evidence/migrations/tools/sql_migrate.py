"""sql-migrate: both ways in one file, between marks."""

from __future__ import annotations

from forensics.evidence.migrations.tool import Marks, Tool

TOOL = Tool(name="sql-migrate", marks=Marks("+migrate Up", "+migrate Down"))
