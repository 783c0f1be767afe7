"""Random incidents in which keys are used again, rewritten and shuffled, and rows saved anew.

Whatever happened: nothing is called whole that is not, no link is put onto another row, no row is
doubled, and recovery.sql with undo.sql leave the database as it was. `make test` tries some twenty,
`make soak MINUTES=60` goes on for as long as it may, from where the last one stopped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg
import pytest

import forensics as fx
from forensics.case.bounds import answered
from forensics.errors import ScratchError
from forensics.scratch import Scratch
from tests.bulk.events import Event, events, since
from tests.bulk.judge import holdings, left_behind, lost, made_again, wrong
from tests.bulk.world import World, world
from tests.recovery.conftest import adds_up

NAME = "bulk"
FEW = 20
_CANNOT_TELL = re.compile("cannot be told from others|are not there as they came back")
_FRESH = 150  # incidents after which the catalogue, full of what was dropped, makes all slow
_BUSY = 0.4  # of the incidents: the application writes between comparison and recovery
PROGRESS = Path("build/soak.json")


@dataclass
class Bench:
    """Where incidents happen, one after another."""

    scratch: Scratch
    folder: Path
    connection: psycopg.Connection = field(init=False)

    def begin(self) -> None:
        """Make the database."""
        self.scratch.create(NAME)
        self.connection = psycopg.connect(self.scratch.dsn(NAME), autocommit=True)

    def end(self) -> None:
        """Drop it."""
        self.connection.close()
        self.scratch.drop(NAME)

    def run(self, script: Path, *, accept: bool = False) -> None:
        """Run a script as the runbook says."""
        head = b"\\set accept_changes on\n" if accept else b""
        self.scratch.run(NAME, head + script.read_bytes())

    def do(self, statements: Iterator[str]) -> None:
        """Run statements as one transaction."""
        with self.connection.transaction():
            for statement in statements:
                self.connection.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bench(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(scratch, tmp_path_factory.mktemp(NAME))
    made.begin()
    yield made
    made.end()


def happen(bench: Bench, place: World, happened: list[Event], random: Random) -> bool:
    """Have it all happen; say whether it could."""
    for event in happened:
        try:
            bench.do(event.happens(place, random))
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            return False  # an earlier one took what this one needs
    return True


def undo(bench: Bench, script: Path, busy: bool) -> None:
    """Take the recovery back; of a table without a key that was written to nobody can."""
    try:
        bench.run(script, accept=busy)
    except ScratchError as error:
        if not busy or not _CANNOT_TELL.search(str(error)):
            raise


def hold(bench: Bench, seed: int) -> None:
    """One incident, from its making to its undoing."""
    random = Random(seed)
    place, happened = world(random), events(random)
    bench.connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    bench.do(place.definitions())
    before = holdings(bench.connection, place)
    backup = bench.scratch.dump(NAME, bench.folder / "backup.dump", "-Fc", "-Z0")
    if not happen(bench, place, happened, random):
        return
    live = holdings(bench.connection, place)
    told = f"seed {seed}: {[event.name for event in happened]}, {place}"
    case_folder, out = bench.folder / "case", bench.folder / "out"
    try:
        with fx.compare(backup, bench.scratch.dsn(NAME), case_folder) as case:
            assert answered(case), told
            assert not (case.nothing_missing and lost(before, live)), told
            if all(event.harmless for event in happened) and before.rows == live.rows:
                assert case.nothing_missing or any(e.name == "save again" for e in happened), told
            adds_up(case, case.recovery(include_unexplained=True).write(out))
        busy = random.random() < _BUSY
        compared = live
        if busy:
            happen(bench, place, since(random), random)
            live, told = holdings(bench.connection, place), f"{told}, and it went on"
        bench.run(out / "recovery.sql", accept=busy)
        after = holdings(bench.connection, place)
        assert wrong(before, live, after) == [], told
        if all(event.plain for event in happened) and not busy:
            assert not left_behind(before, after), told
        undo(bench, out / "undo.sql", busy)
        now = holdings(bench.connection, place)
        if not busy:
            assert now.text == live.text, told
        elif now.text != after.text:
            assert made_again(before, compared, live, now), told
    finally:
        shutil.rmtree(case_folder, ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)


def test_incidents_in_bulk(bench: Bench) -> None:
    for seed in range(FEW):
        hold(bench, seed)


@pytest.mark.soak
def test_thousands_of_incidents_in_bulk(bench: Bench) -> None:
    known = {"next": FEW, "held": 0}
    if PROGRESS.exists():
        known = json.loads(PROGRESS.read_text())
    seed = int(os.environ.get("SEED", known["next"]))
    ends = time.monotonic() + 60 * float(os.environ.get("MINUTES", "60"))
    try:
        while time.monotonic() < ends:
            hold(bench, seed)
            seed += 1
            known["held"] += 1
            if seed % _FRESH == 0:
                bench.end()
                bench.begin()
    finally:
        PROGRESS.parent.mkdir(exist_ok=True)
        PROGRESS.write_text(json.dumps({"next": seed, "held": known["held"]}))
        print(f"{known['held']} incidents held in all; the next has seed {seed}")
