"""`Options` and `Listener` are cheap to import, and say what a session is told by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import forensics
from forensics.compare.options import Options
from forensics.evidence.live import source as live

# The package by itself, without what its own `__init__` imports.
ALONE = """
import sys, types
package = types.ModuleType("forensics")
package.__path__ = [sys.argv[1]]
sys.modules["forensics"] = package
import {module}
heavy = {{"duckdb", "numpy", "pandas", "psycopg", "pyarrow", "sqlalchemy"}}
print(*sorted(heavy & sys.modules.keys()))
"""


def loaded_by(module: str) -> str:
    folder = str(Path(forensics.__file__).parent)
    command = [sys.executable, "-c", ALONE.format(module=module), folder]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_what_a_caller_needs_first_loads_nothing_heavy() -> None:
    assert loaded_by("forensics.compare.options") == ""
    assert loaded_by("forensics.scratch") == ""


def test_a_session_is_told_the_same_with_options_and_without() -> None:
    told = Options()
    assert told.lock_timeout == live.LOCK_TIMEOUT
    assert told.statement_timeout == live.STATEMENT_TIMEOUT
