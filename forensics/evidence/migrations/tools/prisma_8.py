"""Prisma 8: a folder a migration, `ops.json` in it, below a folder for each space (`app`).

Its ledger keeps the operations that ran, with their SQL: they need no folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, only_files, sha256
from forensics.evidence.migrations.tool import Folder, HistoryTable, Kept, Tool

_SCHEMA = "prisma_contract"
_FILE = "ops.json"
_OWN = "app"
_SQL = re.compile(r'"sql"\s*:\s*"')
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<number>\d+)")


def files(folder: Path) -> Sequence[File] | None:
    found = []
    for pattern in (f"*/{_FILE}", f"*/*/{_FILE}"):
        for path in only_files(folder.glob(pattern)):
            if (path.parent / "migration.json").is_file():
                space = path.parent.parent.resolve().name
                found.append((_made_at(path.parent), File(_name(space, path.parent.name), path)))
    return [file for _, file in sorted(found, key=lambda one: (one[0], one[1].name))] or None


def _name(space: str, migration: str) -> str:
    """What is of another space than the application's has it in its name."""
    return migration if space == _OWN else f"{space}/{migration}"


def _made_at(folder: Path) -> str:
    """When a migration was planned: the names of two may have the same minute."""
    try:
        said = json.loads((folder / "migration.json").read_text(encoding="utf-8"))
        return str(said["createdAt"])
    except (ValueError, KeyError, TypeError):
        return ""


def as_sql(text: bytes, path: Path) -> bytes | None:
    """The statements of a file of operations, each on its line; None for any other file."""
    if path.name != _FILE:
        return None
    decoded = text.decode("utf-8", "replace")
    try:
        operations = json.loads(decoded)
    except ValueError:
        return text  # which is then said to be no SQL, with its line
    written = ""
    marks = _SQL.finditer(decoded)
    for sql, mark in zip(_all_sql(operations), marks, strict=False):
        if sql is not None:
            line = decoded.count("\n", 0, mark.start())
            written += "\n" * (line - written.count("\n")) + f"{sql};"
    return written.encode("utf-8")


def _all_sql(value: Any, executed: bool = False) -> Iterator[str | None]:
    """Every "sql" in the order of the file: None for those that only check."""
    if isinstance(value, list):
        for one in value:
            yield from _all_sql(one, executed)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "sql" and isinstance(inner, str):
            yield _filled(inner, value.get("params") or ()) if executed else None
        else:
            yield from _all_sql(inner, executed or key == "execute")


def _filled(sql: str, params: Sequence[Any]) -> str:
    """A statement with its parameters as literals."""

    def put(match: re.Match[str]) -> str:
        if match["number"] is None or int(match["number"]) > len(params):
            return match[0]
        return _literal(params[int(match["number"]) - 1])

    return _PARAMETER.sub(put, sql).rstrip().rstrip(";")


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("'", "''") + "'"


def checksum(text: bytes, path: Path) -> str:
    """Of what the operations are, however they are written down: the ledger keeps them as jsonb."""
    try:
        operations = json.loads(text)
    except ValueError:
        return ""
    return sha256(json.dumps(operations, sort_keys=True).encode("utf-8"), path)


def entry(row: Row) -> HistoryEntry:
    operations = row.text("operations")
    ran = _all_sql(json.loads(operations or "[]"))
    return HistoryEntry(
        row.tool,
        row.table,
        _name(row.text("space"), row.text("migration_name")),
        checksum(operations.encode("utf-8"), Path()),
        applied_at=row.time("created_at"),
        sql="".join(f"{one};\n" for one in ran if one is not None),
    )


TOOL = Tool(
    name="Prisma 8",
    folder=Folder("prisma 8", files),
    history=HistoryTable(
        "ledger",
        ("space", "migration_name", "created_at", "operations"),
        entry,
        apart=True,
        schema=_SCHEMA,
    ),
    checksum=checksum,
    as_sql=as_sql,
    keeps=(
        Kept("marker", ("space", "core_hash"), _SCHEMA),
        Kept("contract", ("core_hash",), _SCHEMA),
    ),
)
