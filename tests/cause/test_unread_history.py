"""A history that could not be read is not known: null, said, and exit status 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from forensics import cli
from forensics.cli.voice import app
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma

SHELF = "CREATE TABLE shelves (id int PRIMARY KEY, spot text); INSERT INTO shelves VALUES (1, 'a')"


def run(*arguments: object) -> tuple[int, str]:
    cli.register()
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


class Shelves:
    """A database whose migration emptied a table, with the dump from before."""

    def __init__(self, scratch: Scratch, make: Callable[..., str], folder: Path) -> None:
        self.scratch, self.folder = scratch, folder
        self.prisma = Prisma(folder / "migrations")
        self.prisma.write("0_init", "x")
        history = self.prisma.row("0_init", "x", finished="2026-01-01 10:00+00")
        self.before = make(f"{SHELF}; {Prisma.TABLE} {history}")
        self.live = make(template=self.before)
        scratch.run(self.live, self.prisma.ran("1_empty", "DELETE FROM shelves"))

    def compare(self, *options: str, dump: tuple[str, ...] = (), user: str = "postgres") -> Any:
        backup = self.folder / "backup.sql"
        self.scratch.dump(self.before, backup, *dump)
        dsn = self.scratch.dsn(self.live).replace("postgres@", f"{user}@")
        case = self.folder / "case"
        status, said = run("compare", backup, dsn, "--case", case, "--table", "shelves", *options)
        assert status == 2, said
        assert "The migration history of" in said
        status, said = run("cause", case, "--migrations", self.prisma.folder)
        assert status == 2, said
        assert "no statement took" not in said
        return json.loads((case / "cause.json").read_text())


@pytest.fixture
def shelves(scratch: Scratch, database: Callable[..., str], tmp_path: Path) -> Shelves:
    return Shelves(scratch, database, tmp_path)


def test_lives_history_may_not_be_read(shelves: Shelves) -> None:
    name = f"shelver_{shelves.live}"
    shelves.scratch.run(
        shelves.live, f"CREATE ROLE {name} LOGIN; GRANT SELECT ON shelves TO {name}"
    )
    try:
        found = shelves.compare(user=name)
    finally:
        shelves.scratch.run(shelves.live, f"DROP OWNED BY {name}; DROP ROLE {name}")
    told = {m["name"]: m for m in found["migrations"]}
    assert told["1_empty"]["in_live"] is None
    assert told["1_empty"]["state"] is None
    assert told["0_init"]["in_backup"] is True
    assert [rest["rows"] for rest in found["unexplained"]] == [None]
    assert "1_empty stands in the folder" not in " ".join(found["notes"])
    loss = json.loads((shelves.folder / "case" / "loss.json").read_text())
    assert loss["window"]["incident_at"] is None


def test_the_backups_history_was_not_dumped(shelves: Shelves) -> None:
    found = shelves.compare(dump=("--exclude-table-data=_prisma_migrations",))
    told = {m["name"]: m for m in found["migrations"]}
    assert told["1_empty"]["in_backup"] is None
    assert told["1_empty"]["in_live"] is True
    assert [rest["rows"] for rest in found["unexplained"]] == [None]


def test_the_backups_time_stands_in_for_its_history(shelves: Shelves) -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC).isoformat()
    found = shelves.compare("--backup-at", at, dump=("--exclude-table-data=_prisma_migrations",))
    [statement] = found["statements"]
    assert (statement["rows"], found["unexplained"]) == (1, [])
