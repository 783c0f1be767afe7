"""Flyway: `V1__name.sql` in folders of any depth, by version; then `R__name.sql`, which it repeats.

Source: Flyway's manual, and its `ChecksumCalculator` (CRC-32 over lines without their ends).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, numbers, only_files
from forensics.evidence.migrations.tool import Folder, HistoryTable, InCode, Tool

_NAME = re.compile(r"(?P<kind>[VRUB])(?P<version>[0-9._]*)__.+\.sql\Z")
_BASELINES = ("BASELINE", "SQL_BASELINE")
_NO_MIGRATIONS = ("SCHEMA", "DELETE")


def files(folder: Path) -> Sequence[File] | None:
    versioned = []
    repeatable = []
    for path in only_files(sorted(folder.rglob("*.sql"))):
        match = _NAME.match(path.name)
        if match and match["kind"] == "V":
            versioned.append((numbers(match["version"]), path))
        elif match and match["kind"] == "R":
            repeatable.append(path)
    if not versioned:
        return None
    paths = [path for _, path in sorted(versioned)] + repeatable
    return [File(path.stem, path) for path in paths]


def version(name: str, path: Path) -> str | None:
    match = _NAME.match(path.name)
    return match["version"].replace("_", ".") if match else None


def order(path: Path) -> tuple[int, ...] | None:
    match = _NAME.match(path.name)
    if match is None or match["kind"] != "V":
        return None
    return numbers(match["version"])


def checksum(text: bytes, path: Path) -> str:
    crc = 0
    for line in text.replace(b"\r\n", b"\n").removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        crc = zlib.crc32(line, crc)
    signed = int.from_bytes(crc.to_bytes(4, "big"), "big", signed=True)
    return str(signed)


def entry(row: Row) -> HistoryEntry | None:
    script = row["script"]
    if row["type"] in _NO_MIGRATIONS or not script:
        return None
    installed = row.time("installed_on")
    if row["type"] in _BASELINES:
        # What is not above it is taken for applied, and never runs.
        return HistoryEntry(
            row.tool,
            row.table,
            row.text("version"),
            applied_at=installed,
            steps=0,
            cumulative=True,
        )
    return HistoryEntry(
        row.tool,
        row.table,
        re.split(r"[\\/]", script)[-1].removesuffix(".sql"),
        row["checksum"],
        applied_at=installed,
        failed=not row.true("success"),
        rolled_back=row.text("type").startswith("UNDO"),
    )


TOOL = Tool(
    name="Flyway",
    folder=Folder("flyway", files),
    history=HistoryTable(
        "flyway_schema_history",
        ("script", "version", "type", "checksum", "installed_on", "success"),
        entry,
    ),
    in_code=InCode((".java", ".kt"), "flyway migrate -dryRunOutput=FILE"),
    checksum=checksum,
    version=version,
    order=order,
)
