"""What is killed in the middle: the answer is the same, or --resume makes it so."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from bench.servers import ROOT, Sail, Standalone
from forensics.compare import batches
from forensics.compare.cluster import reducer
from forensics.errors import ClusterError
from forensics.model import COUNTS
from tests.spark.world import Expected, World, answer, compared

pytestmark = pytest.mark.spark

DRIVER = """
import sys
import forensics as fx
from forensics.compare import batches

batches._FEW_BYTES = -1

class Telling(fx.Listener):
    def ends(self, result):
        print(result.name, flush=True)

backup, live, case, master = sys.argv[1:]
options = fx.Options(engine="spark", master=master)
fx.compare(backup, live, case, options=options, listener=Telling())
"""


def rows_of(found: dict[str, Any]) -> object:
    """What is said of rows; not of which snapshot they are."""
    counts = [[table[name] for name in ("table", *COUNTS)] for table in found["tables"]]
    return found["rows"], counts


def test_a_driver_that_is_lost_resumes(
    world: World, expected: Expected, sail: Sail, tmp_path: Path
) -> None:
    case = tmp_path / "case"
    program = tmp_path / "driver.py"  # pyspark takes python -c for a test of its own
    program.write_text(DRIVER)
    given = [str(world.dumps["plain"]), world.live, str(case), sail.master]
    with subprocess.Popen(
        [sys.executable, program, *given],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as driver:
        assert driver.stdout
        done = [driver.stdout.readline() for _ in range(3)]
        driver.kill()
    assert all(done)
    options = fx.Options(engine="spark", master=sail.master, resume=True)
    found = answer(fx.compare(world.dumps["plain"], world.live, case, options=options))
    assert rows_of(found) == rows_of(expected("plain"))


def test_a_worker_that_is_killed_changes_no_answer(
    world: World,
    expected: Expected,
    standalone: Standalone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reducer, "_PART", 60_000)
    monkeypatch.setattr(reducer, "_TOGETHER", 1)
    before = standalone.log("connect").count("Finished task")
    killed = threading.Event()

    def kill() -> None:
        # The probe is one task; what comes behind it are parts of tables.
        while standalone.log("connect").count("Finished task") < before + 3:
            time.sleep(0.05)
        standalone.kill("worker1")
        killed.set()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    found = compared(world.dumps["plain"], world.live, tmp_path, standalone.master)
    killer.join(60)
    assert killed.is_set()
    standalone.add_worker(3)
    assert found == expected("plain")


def test_a_server_that_is_lost_ends_the_run_and_keeps_the_case(
    world: World, expected: Expected, tmp_path: Path
) -> None:
    class Ending(fx.Listener):
        """Has the server end behind the second table."""

        tables = 0

        def ends(self, result: object) -> None:
            self.tables += 1
            if self.tables == 2:
                server.kill("sail")

    case = tmp_path / "case"
    with Sail() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "_FEW_BYTES", -1)
        options = fx.Options(engine="spark", master=server.master)
        with pytest.raises(ClusterError, match=r"was lost|gave up"):
            fx.compare(world.dumps["plain"], world.live, case, options=options, listener=Ending())
    found = answer(
        fx.compare(world.dumps["plain"], world.live, case, options=fx.Options(resume=True))
    )
    assert rows_of(found) == rows_of(expected("plain"))
