"""Hasura's newer releases: the versions of each database as JSON, in one row of its catalogue."""

from __future__ import annotations

import json

from forensics.errors import EvidenceError
from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, Tool


def entry(row: Row) -> HistoryEntry | None:
    return None  # `listed` reads the row


def listed(row: Row) -> list[HistoryEntry]:
    """The versions of all databases: {"migrations": {"default": {"1600000100000": false}}}."""
    found = {}
    try:
        for versions in json.loads(row.text("cli_state") or "{}").get("migrations", {}).values():
            for version, dirty in versions.items():
                found[version] = HistoryEntry(row.tool, row.table, version, failed=bool(dirty))
    except (ValueError, AttributeError) as error:
        raise EvidenceError(
            f"{row.table} keeps Hasura's migrations in a form that is not known here.",
            "Say which ran with --ran NAME.",
        ) from error
    return list(found.values())


TOOL = Tool(
    name="Hasura's state",
    history=HistoryTable(
        "hdb_version",
        ("cli_state",),
        entry,
        apart=True,
        schema="hdb_catalog",
        lists=listed,
    ),
)
