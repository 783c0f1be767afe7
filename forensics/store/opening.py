"""The case file, opened or made: DuckDB's errors become the kit's here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.errors import CaseError, UsageError, first_line
from forensics.store.files import CASE, FRESH, SPILL, discard_fresh, exists
from forensics.store.lock import BusyError, patiently

if TYPE_CHECKING:
    import duckdb

FORMAT = 2

# The oldest DuckDB that is to open the file, whichever writes it.
_READ_FROM = "v1.5.0"
_AMOUNT = re.compile(r"\d+(?:\.\d+)?\s*[KMGT]i?B", re.I)
# What DuckDB says where the file is open: in another process, or in this one to be written.
_LOCKED = ("Could not set lock", "different configuration")
_LITTLE = 64 << 20  # bytes
_NEWER = "created with a newer version of DuckDB"
_LAYOUT = """
CREATE SCHEMA IF NOT EXISTS kit;
CREATE SCHEMA IF NOT EXISTS rows;
CREATE TABLE IF NOT EXISTS kit.meta (name VARCHAR PRIMARY KEY, value JSON);
CREATE TABLE IF NOT EXISTS kit.tables (
    number INTEGER PRIMARY KEY, schema VARCHAR, "table" VARCHAR, result JSON, changes JSON,
    backup_columns VARCHAR[], live_columns VARCHAR[], read JSON);
"""


def expect_amount(memory: str | None) -> None:
    if memory and not _AMOUNT.fullmatch(memory.strip()):
        raise UsageError(
            f"--memory {memory} is no amount of memory.", "Write it like 600MB or 2GB."
        )


def connect(
    folder: Path, name: str, *, write: bool = False, memory: str | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a case file of a folder; wait where another process has it open to write it."""
    config = {
        "temp_directory": str(folder / SPILL),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "storage_compatibility_version": _READ_FROM,
    }
    if memory:
        config["memory_limit"] = memory

    def attempt() -> duckdb.DuckDBPyConnection:
        opened = _try_to_connect(folder / name, config, write=write)
        # Of a case that is being made nobody knows how large it gets.
        made = not write or name == FRESH
        if made and (folder / name).stat().st_size <= _LITTLE:
            # Handing small statements from thread to thread takes longer than they do.
            opened.execute("SET threads = 1")
        return opened

    return patiently(attempt, folder)


def _try_to_connect(
    path: Path, config: Mapping[str, str], *, write: bool
) -> duckdb.DuckDBPyConnection:
    import duckdb

    folder = path.parent
    try:
        return duckdb.connect(str(path), read_only=not write, config=dict(config))
    except duckdb.OutOfMemoryException as error:
        raise UsageError(
            f"--memory {config.get('memory_limit')} is not enough to open a case with.",
            "Allow more: 600MB is what it takes by itself.",
        ) from error
    except duckdb.Error as error:
        words = str(error)
        if any(sign in words for sign in _LOCKED):
            raise BusyError from error
        if _NEWER in words:
            raise CaseError(
                f"Case {folder} was written by a newer DuckDB than the {duckdb.__version__} that "
                "is installed here.",
                "Open it where it was written, or install that one: pip install --upgrade duckdb",
            ) from error
        if isinstance(error, duckdb.IOException):
            raise CaseError(
                f"Case {folder} cannot be opened: {first_line(error)}.",
                "Is the disk full, or the file damaged?",
            ) from error
        raise CaseError(
            f"{path} is not a case file: {first_line(error)}.",
            "Give the folder that compare wrote.",
        ) from error


def make_file(folder: Path) -> None:
    """Make an empty case file where there is none: under another name first, so that it is whole.

    Every column is named by number and every value a VARCHAR, so nothing of a dump is ever an
    identifier in it.
    """
    import duckdb

    if exists(folder):
        return
    discard_fresh(folder)
    fresh = folder / FRESH
    try:
        form = {"storage_compatibility_version": _READ_FROM}
        with duckdb.connect(str(fresh), config=form) as connection:
            connection.execute(_LAYOUT)
            connection.execute(f"INSERT INTO kit.meta VALUES ('format', '{json.dumps(FORMAT)}')")
            # Closing would try this too, and keep its failure to itself.
            connection.execute("CHECKPOINT")
    except duckdb.Error as error:
        raise CaseError(
            f"Case {folder} cannot be made: {first_line(error)}.", "Is the disk full?"
        ) from error
    fresh.chmod(0o600)
    fresh.replace(folder / CASE)


def write_back(folder: Path) -> None:
    """Have what a process that was killed had only noted beside the case file written into it."""
    if (folder / f"{CASE}.wal").exists():
        connect(folder, CASE, write=True).close()
