"""What a tool wrote, kept small: `RECORD=knex,rails` with the matrix writes it to cases/tools."""

from __future__ import annotations

import json
import re
import shutil
import socket
from pathlib import Path

from forensics.cause.history import place
from forensics.evidence import open_source
from forensics.evidence.migrations import is_history, read_folder, read_history
from forensics.model import quote_identifier
from forensics.scratch import Scratch

CASES = Path(__file__).parents[1] / "cases" / "tools"
_NOISE = re.compile(r"(?:SET|SELECT pg_catalog|--|\\).*|\s*")


def record(scratch: Scratch, database: str, migrations: Path, case: Path) -> None:
    """Keep a tool's tables and files, and what is read of them now: look at it."""
    case.mkdir(exist_ok=True)
    (case / "history.sql").write_text(own_tables(scratch, database, migrations), encoding="utf-8")
    shutil.rmtree(case / "migrations", ignore_errors=True)
    shutil.copytree(migrations, case / "migrations")
    expect(scratch, database, case)


def expect(scratch: Scratch, database: str, case: Path) -> None:
    """Write a case's expected.json as it is now."""
    with open_source(scratch.dsn(database)) as source:
        entries, tables = read_history(source), source.catalog.tables
    folder = read_folder(case / "migrations")
    history = place({"backup": [], "live": entries}, {}, folder, None)
    names = ("name", "checksum", "in_force", "ran")
    found = {
        "tool": entries[0].tool,
        "folder": {"kind": folder.kind, "migrations": [m.name for m in folder.migrations]},
        "history": [{n: getattr(entry, n) for n in names} for entry in entries],
        "placed": {one.name: one.file for one in history.migrations if one.in_live},
        "tables": [n.table for n, table in sorted(tables.items()) if is_history(table)],
    }
    (case / "expected.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def record_after(scratch: Scratch, database: str, case: Path) -> None:
    """Keep a tool's tables as they are once migrations failed and were taken back."""
    folder = case / "migrations"
    (case / "after.sql").write_text(own_tables(scratch, database, folder), encoding="utf-8")
    with open_source(scratch.dsn(database)) as source:
        entries = read_history(source)
    history = place({"backup": [], "live": entries}, {}, read_folder(folder), None)
    found = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    found["after"] = {one.name: one.state for one in history.migrations}
    (case / "expected.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def own_tables(scratch: Scratch, database: str, beside: Path) -> str:
    """A dump of what is a tool's own, without what does not matter."""
    with open_source(scratch.dsn(database)) as source:
        own = [name for name, table in source.catalog.tables.items() if is_history(table)]
    schemas = {name.schema for name in own} - {"public"}
    written = "".join(f"CREATE SCHEMA {quote_identifier(one)};\n" for one in sorted(schemas))
    wanted: list[str] = []
    for name in own:
        wanted += ["-t", f"{quote_identifier(name.schema)}.{quote_identifier(name.table)}"]
    dump = scratch.dump(database, beside.parent / "own.sql", "--inserts", "-O", "-x", *wanted)
    for line in dump.read_text(encoding="utf-8").splitlines():
        if not _NOISE.fullmatch(line):
            written += f"{line}\n"
    dump.unlink()
    return written.replace(f"'{socket.gethostname()}'", "'here'")
