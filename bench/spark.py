"""The same comparison on Spark, with one worker and with two, beside DuckDB.

    python -m bench.spark --rows 5000000

The rows are those of `bench.compare`; the worker, the server and the database share this machine,
so two workers of two cores have nothing to gain where the first one fills it. Needs Java 17, and a
Python that has pyspark with its jars in SPARK_PYTHON (`make spark` makes one); where Sail is
installed, it is measured too. In the notes: what went between executors, as Spark counts it.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from bench.compare import BEFORE, CHANGE, programs
from bench.servers import Sail, Standalone, why_no_cluster, why_no_sail
from bench.sheet import Sheet, Spent, parser, spent
from forensics.scratch import Scratch

_DUCKDB = "DuckDB, as a process"


def main() -> None:
    """Build, measure, print a table."""
    asked = parser(__doc__)
    asked.add_argument("--rows", type=int, default=5_000_000)
    options = asked.parse_args()
    rows = options.rows
    sheet = Sheet("spark", f"{rows:,} rows on Spark; 1 % of them deleted, 0.1 % changed")
    with (
        Scratch(programs()) as server,
        tempfile.TemporaryDirectory(prefix="forensics-bench-") as name,
    ):
        folder = Path(name)
        print(f"building {rows:,} rows", file=sys.stderr)
        server.create("bench")
        server.run("bench", BEFORE.format(rows=rows))
        backup = server.dump("bench", folder / "backup.sql")
        server.run("bench", CHANGE)
        run = _Run(server.dsn("bench"), backup, folder)
        here = run.compared()
        sheet.peer(_DUCKDB, [here])
        _on_sail(sheet, run, here)
        _on_clusters(sheet, run, here)
    sheet.close()


class _Run:
    """A comparison, with one engine or the other; each has to find the same."""

    def __init__(self, dsn: str, backup: Path, folder: Path) -> None:
        self._dsn, self._backup, self.folder = dsn, backup, folder
        self._found: object = None

    def compared(self, master: str | None = None) -> Spent:
        """Compare, and return what it took."""
        case = self.folder / "case"
        command: list[str | Path] = [sys.executable, "-m", "forensics", "compare", self._backup]
        command += [self._dsn, "--case", case, "--quiet", "--json"]
        if master:
            command += ["--engine", "spark", "--master", master]
        took = spent(command)
        [table] = json.loads(took.output)["tables"]
        self._found = self._found or table
        if table != self._found:
            raise RuntimeError(f"the engines do not agree: {table}, {self._found}")
        shutil.rmtree(case)
        return took


def _on_sail(sheet: Sheet, run: _Run, here: Spent) -> None:
    if why := why_no_sail():
        sheet.lacks("Sail", why)
        return
    with Sail() as server:
        sheet.add("Sail", [run.compared(server.master)], _DUCKDB, [here])


def _on_clusters(sheet: Sheet, run: _Run, here: Spent) -> None:
    for workers in (1, 2):
        work = f"Spark, workers: {workers}"
        if why := why_no_cluster():
            sheet.lacks(work, why)
            continue
        events = run.folder / f"events{workers}"
        events.mkdir()
        settings = {
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": f"file://{events}",
            "spark.eventLog.compress": "false",
        }
        with Standalone(workers, settings) as server:
            took = run.compared(server.master)
        note = f"{_shuffled(events) / 1e6:.1f} MB between executors"
        sheet.add(work, [took], _DUCKDB, [here], note=note)


def _shuffled(events: Path) -> int:
    """How many bytes tasks wrote for others, as Spark's log of events has it."""
    size = 0
    for path in events.rglob("*"):
        if not path.is_file():
            continue
        for line in path.read_text("utf-8", "replace").splitlines():
            if "SparkListenerTaskEnd" in line:
                metrics = json.loads(line).get("Task Metrics") or {}
                size += metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0)
    return size


if __name__ == "__main__":
    main()
