"""An incident on a real server: before, backup, change, and what psql makes of the scripts."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.case.facade import Case
from forensics.recovery import Plan, Scope, Wishes, make_plan
from forensics.recovery.stays import HELD
from forensics.scratch import Scratch


@dataclass
class Incident:
    """A database after an incident, with the case that was made of it."""

    scratch: Scratch
    database: str
    before: str
    case: Case
    out: Path

    @property
    def dsn(self) -> str:
        return self.scratch.dsn(self.database)

    def plan(
        self,
        *,
        rehearse: bool = False,
        live: bool = True,
        migrations: Path | None = None,
        ran: tuple[str, ...] = (),
        every: bool = False,
        **scope: Any,
    ) -> Plan:
        """Write the scripts for the incident's database, and rehearse them.

        `every` option on request, because that takes longer.
        """
        skip = () if every else ("full restore", "roll back")
        wishes = Wishes(
            self.dsn if live or rehearse or every else None,
            rehearse or every,
            migrations,
            None,
            ran,
            self.scratch,
            skip,
        )
        plan = make_plan(self.case.store, self.out, Scope(**scope), wishes)
        adds_up(self.case, plan)
        return plan

    def psql(self, script: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the plan on the database, as people will."""
        command = [
            self.scratch.psql,
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            *options,
            "-d",
            self.database,
            "-f",
            self.out / script,
        ]
        return subprocess.run(
            [str(c) for c in command],
            capture_output=True,
            text=True,
            env=self.scratch.env,
            check=False,
        )

    def run(self, script: str, *options: str) -> str:
        """Run a script that is to succeed; return what it says."""
        done = self.psql(script, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def refuses(self, script: str, *options: str) -> str:
        """Run a script that is to stop, and make sure that it changed nothing.

        Returns:
            What it says.
        """
        was = self.state()
        done = self.psql(script, *options)
        assert done.returncode == 3, (done.stdout, done.stderr)
        assert self.state() == was
        return done.stderr

    def sql(self, text: str, database: str | None = None) -> str:
        return self.scratch.run(database or self.database, text).strip()

    def state(self, database: str | None = None) -> list[str]:
        """The whole database as pg_dump writes it, rows in order of their text."""
        out = self.out.parent / "state.sql"
        self.scratch.dump(database or self.database, out)
        lines = [
            line
            for line in out.read_text().splitlines()
            if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))
        ]
        return sorted(lines)


def adds_up(case: Case, plan: Plan) -> None:
    """Make sure that what comes back and what stays is what is missing, table by table."""
    told = Counter[str]()
    for target in plan.targets:
        told[str(target.name)] += target.rows
    for stay in plan.stays:
        if stay.column is None:
            assert stay.rows, stay
            told[str(stay.name)] += stay.rows
    missing = {str(r.name): r.missing for r in case.store.results() if r.missing}
    assert +told == missing


def left(plan: Plan) -> dict[str, int | None]:
    """The lost rows of tables that rows do not return to."""
    chosen = {target.name for target in plan.targets}
    found = {}
    for stay in plan.stays:
        if stay.column is None and stay.kind not in HELD and stay.name not in chosen:
            found[str(stay.name)] = stay.rows
    return found


@pytest.fixture
def incident(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> Callable[..., Incident]:
    """Build an incident from the SQL before the backup and the SQL after it."""

    def build(before: str, change: str, *options: str) -> Incident:
        live = database(before)
        backup = scratch.dump(live, tmp_path / "backup.dump", *options)
        kept = database(template=live)
        scratch.run(live, change)
        case = fx.compare(backup, scratch.dsn(live), case=tmp_path / "case")
        return Incident(scratch, live, kept, case, tmp_path / "out")

    return build
