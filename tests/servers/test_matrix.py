"""Every server, with the dumps of every other: an upgrade is no loss, and an incident is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from tests.servers import programs, world
from tests.servers.table import Table

pytestmark = pytest.mark.matrix
SERVERS = [*programs.RELEASES, "PGlite"]
FORMS = {"archive": ["-Fc"], "inserts": ["--column-inserts"]}
_PGLITE_IS = "18"
# Of other servers only what the newest pg_dump made, and INSERTs only of live's own server.
SHORT = os.environ.get("MATRIX") == "short"


def major_of(server: str) -> str:
    """The major version that a server is of."""
    return _PGLITE_IS if server == "PGlite" else server


class World:
    """All servers after the incident, and the dumps from before it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.servers: dict[str, Any] = {}
        self.dumps: dict[str, dict[str, Path]] = {}
        for name in SERVERS:
            server: Any = programs.Pglite() if name == "PGlite" else programs.Server(name)
            stack.enter_context(server)
            server.create("world")
            server.run("world", world.script(int(major_of(name))))
            self._dump(name, server)
            server.run("world", world.incident())
            self.servers[name] = server

    def _dump(self, name: str, server: Any) -> None:
        for dumper, program in programs.dumpers().items():
            if int(dumper) < int(major_of(name)):
                continue
            made = self.dumps.setdefault(f"{name} by {dumper}", {})
            for form, options in FORMS.items():
                out = self.folder / f"{name}-{dumper}-{form}"
                made[form] = server.dump("world", out, *options, program=program)

    def newest_dump_of(self, name: str) -> Path:
        """The archive that the newest pg_dump made of a server."""
        newest = list(programs.dumpers())[-1]
        return self.dumps[f"{name} by {newest}"]["archive"]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All servers, for all tests."""
    with ExitStack() as stack:
        yield World(tmp_path_factory.mktemp("servers"), stack)


@pytest.fixture(scope="module")
def compared() -> Iterator[Table]:
    """What was compared, printed at the end."""
    found = Table("dump \\ live", SERVERS)
    yield found
    print("\n\nWhich dumps (down) each live server (across) was rightly compared with:\n")
    print(found.text())
    assert not found.differing(Table.kept("dumps"))


@pytest.fixture(scope="module")
def stages() -> Iterator[Table]:
    """Which commands were run on which server, printed at the end."""
    found = Table("live", ["compare", "loss", "cause", "preflight", "rehearsed", "recover", "undo"])
    yield found
    print("\n\nEvery stage, each server with its own dump; 18 also with those of 10 and PGlite:\n")
    print(found.text())
    assert not found.differing(Table.kept("stages"))


def _differs(case: fx.Case) -> dict[str, object]:
    """Where the counts are not what they have to be."""
    found = {}
    for result in case.results:
        name = result.name.table
        if name == "xids":  # of servers that have the type on both sides
            right = (0, 0) if result.state == "compared" else (result.missing, result.changed)
        else:
            right = world.RIGHT[name]
        if (result.missing, result.changed) != right or result.state == "failed":
            found[name] = (result.state, result.missing, result.changed, "and not", right)
    return found


@pytest.mark.parametrize("live", SERVERS)
def test_dumps_of_every_server(
    live: str, everything: World, compared: Table, tmp_path: Path
) -> None:
    wrong = {}
    newest = list(programs.dumpers())[-1]
    for name, forms in everything.dumps.items():
        said = []
        own = name.startswith(f"{live} by")
        if SHORT and not (own or name.endswith(f" by {newest}")):
            continue
        for form, path in forms.items():
            if SHORT and form == "inserts" and not own:
                continue
            dsn = everything.servers[live].dsn("world")
            with fx.compare(path, dsn, tmp_path / f"{name}-{form}") as case:
                differs = _differs(case)
            said.append(f"{form} differs" if differs else form)
            if differs:
                wrong[name, form] = differs
        compared.mark(name, live, ", ".join(said))
    assert not wrong


class Stages:
    """The commands, run one after another as people would."""

    def __init__(self, everything: World, line: str, table: Table) -> None:
        self._line = line
        self._table = table

    def run(self, stage: str, status: int, *arguments: object) -> dict[str, Any]:
        """Run a command with `--json`; mark how it went."""
        command = [sys.executable, "-m", "forensics", *map(str, arguments), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        right = done.returncode == status
        self.mark(stage, right)
        assert right, (self._line, stage, done.returncode, done.stderr[-2000:])
        return dict(json.loads(done.stdout))

    def mark(self, stage: str, right: bool) -> None:
        """Mark how a stage went."""
        self._table.mark(self._line, stage, "right" if right else "wrong")

    def psql(self, stage: str, dsn: str, script: Path) -> str:
        """Run a script on live."""
        psql = programs.find_programs() / "psql"
        command = [psql, "-X", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-f", script]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        self.mark(stage, done.returncode == 0)
        assert done.returncode == 0, (self._line, stage, done.stderr)
        return done.stdout


PAIRS = [(name, name) for name in SERVERS] + [("10", "18"), ("PGlite", "18")]


@pytest.mark.parametrize(("backup", "live"), PAIRS)
def test_every_stage(
    backup: str, live: str, everything: World, stages: Table, tmp_path: Path
) -> None:
    """Last, since it brings the rows back and takes them away again."""
    line = live if backup == live else f"{live}, dump of {backup}"
    run = Stages(everything, line, stages)
    dsn = everything.servers[live].dsn("world")
    case, migrations = tmp_path / "case", world.write_migrations(tmp_path / "migrations")
    following = tmp_path / "next.sql"
    following.write_text(world.NEXT)
    run.run("compare", 1, "compare", everything.newest_dump_of(backup), dsn, "--case", case)
    loss = run.run("loss", 1, "loss", case)
    assert loss["totals"]["restorable"] == 30
    cause = run.run("cause", 1, "cause", case, "--migrations", migrations)
    assert [(s["table"], s["rows"], s["changed"]) for s in cause["statements"]] == [
        ("room_photos", 30, 0),
        ("rooms", 0, 40),
    ]
    for stage, more in (("preflight", []), ("rehearsed", ["--rehearse"])):
        found = run.run(stage, 1, "preflight", following, dsn, *more)
        assert {h["table"]: h["rows"] for h in found["hazards"]} == world.NEXT_TAKES
    if live == "PGlite":
        return  # its transactions are one session's: scripts of psql are not for it
    out = tmp_path / "out"
    wishes = ["--rehearse", "--include-unexplained", "--live", dsn]
    plan = run.run("recover", 0, "recover", case, "--out", out, *wishes)
    proven = plan["rehearsal"]
    assert (proven["lost_before"], proven["lost_after"], proven["overwritten"]) == (38, 0, 40)
    assert proven["undo_restores"] and proven["idempotent"]
    run.psql("recover", dsn, out / "recovery.sql")
    with fx.compare(everything.newest_dump_of(backup), dsn, tmp_path / "after") as after:
        assert {r.name.table: r.missing for r in after.results if r.missing} == {}
    run.psql("undo", dsn, out / "undo.sql")
