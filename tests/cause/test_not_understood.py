"""SQL that the parser does not know, among statements that ran: what it did is not known."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import forensics as fx
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma

TABLES = """
CREATE TABLE visits (id int PRIMARY KEY, note text);
INSERT INTO visits SELECT i, 'n' FROM generate_series(1, 50) i;
CREATE TABLE places (id int PRIMARY KEY);
INSERT INTO places SELECT i FROM generate_series(1, 7) i;
"""
MIGRATION = """\
DELETE FROM visits WHERE id <= 10;
REPACK (CONCURRENTLY) visits;
DELETE FROM places WHERE id = 3;
"""


def test_the_other_statements_are_replayed(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, case_folder: Path
) -> None:
    live = database(Prisma.TABLE + TABLES)
    backup = scratch.dump(live, tmp_path / "backup.sql")
    prisma = Prisma(tmp_path / "migrations")
    prisma.write("1_tidy", MIGRATION)
    known = MIGRATION.replace("REPACK (CONCURRENTLY) visits;", "DELETE FROM visits WHERE id > 48;")
    scratch.run(live, known + prisma.row("1_tidy", MIGRATION))
    fx.compare(backup, scratch.dsn(live), case_folder).close()
    command = [sys.executable, "-m", "forensics", "cause", str(case_folder)]
    done = subprocess.run(
        [*command, "--migrations", str(prisma.folder), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    cause = json.loads(done.stdout)
    found = [(s["line"], s["hazard"], s["table"], s["rows"]) for s in cause["statements"]]
    assert found == [
        (1, "delete-where", "visits", 10),
        (2, "not-understood", None, None),
        (3, "delete-where", "places", 1),
    ]
    assert cause["unexplained"] == [{"schema": "public", "table": "visits", "rows": 2}]
    assert any("line 2 of 1_tidy" in sentence for sentence in cause["unknown"])
    with fx.open_case(case_folder) as case:
        assert "not-understood" in str(case.report(tmp_path / "report.md").read_text())
