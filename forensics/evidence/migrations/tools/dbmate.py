"""dbmate: both ways in one file, between marks. Its history table is the one of Rails."""

from __future__ import annotations

from forensics.evidence.migrations.tool import Marks, Tool

TOOL = Tool(name="dbmate", marks=Marks("migrate:up", "migrate:down"))
