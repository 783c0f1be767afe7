"""Many tables of few rows: the kit beside `pg_dump` of the same database to nowhere.

    python -m bench.small --tables 1000 --rows 20

One table in a hundred loses half of its rows after the dump. Two figures of whole processes,
the start of Python among them: wall time, and the processor time of the process and its
children (what the server works is in neither). The ratios are those of a run; machines differ
and are busy, and processor time differs less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from forensics.scratch import Scratch

_TABLES_A_SCRIPT = 500  # each takes a lock until its transaction ends
_TABLE = """
CREATE TABLE t{n} (id int PRIMARY KEY, name text NOT NULL, amount numeric(10, 2),
  made timestamptz NOT NULL);
INSERT INTO t{n} SELECT i, 'row ' || i || ' of {n}', i * 1.25,
  timestamptz '2025-01-01 00:00:00+00' + i * interval '1 hour' FROM generate_series(1, {rows}) i;
"""
_LOST = "DELETE FROM t{n} WHERE id % 2 = 0;"
_OF_WHICH_LOSE = 100
_FORMS = {"plain": ("-Fp", "backup.sql"), "-Fc": ("-Fc", "backup.dump")}


@dataclass(frozen=True)
class Spent:
    """What one process and its children took: seconds, and bytes where that was looked at."""

    wall: float
    processor: float
    peak: int


def spent(command: Sequence[str | Path], env: dict[str, str] | None = None) -> Spent:
    """Run a process and take its time.

    Raises:
        RuntimeError: it failed in a way that the benchmark does not expect.
    """
    started = time.monotonic()
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, env=env)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise RuntimeError(f"{command[:4]} ended with {child.returncode}")
    return Spent(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


@contextmanager
def world(tables: int, rows: int) -> Iterator[tuple[Scratch, dict[str, Path]]]:
    """A server with the tables in database `bench`, and dumps of it from before the loss."""
    settings = {"shared_buffers": "256MB", "max_locks_per_transaction": str(tables + 100)}
    with (
        Scratch(settings=settings) as server,
        tempfile.TemporaryDirectory(prefix="forensics-bench-") as folder,
    ):
        server.create("bench")
        for first in range(0, tables, _TABLES_A_SCRIPT):
            some = range(first, min(first + _TABLES_A_SCRIPT, tables))
            server.run("bench", _script(_TABLE, some, rows))
        server.run("bench", "VACUUM ANALYZE")
        dumps = {}
        for form, (option, name) in _FORMS.items():
            dumps[form] = server.dump("bench", Path(folder) / name, option)
        server.run("bench", _script(_LOST, range(0, tables, _OF_WHICH_LOSE), rows))
        yield server, dumps


def _script(text: str, tables: range, rows: int) -> str:
    said = [text.format(n=n, rows=rows) for n in tables]
    return f"BEGIN;{''.join(said)}COMMIT;"


def kit(backup: Path, dsn: str, case: Path) -> list[str | Path]:
    """The command that compares."""
    return [sys.executable, "-m", "forensics", "compare", backup, dsn, "--case", case, "--quiet"]


def main() -> None:
    """Build, measure in turns, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with world(options.tables, options.rows) as (server, dumps):
        dsn, env = server.dsn("bench"), {**os.environ, **server.env}
        folder = dumps["plain"].parent
        installed = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # whoever installs it compiles it
        peer, ours = [], {form: list[Spent]() for form in dumps}
        for n in range(options.runs):
            peer.append(spent([server.bin / "pg_dump", "-f", "/dev/null", "-d", dsn], env))
            for form, dump in dumps.items():
                command = kit(dump, dsn, folder / f"case{n}{form}")
                ours[form].append(spent(command, installed))
    print(f"{options.tables:,} tables of {options.rows:,} rows, {options.runs} runs, medians\n")
    print(f"{'what':<28}{'wall s':>9}{'ratio':>8}{'processor s':>13}{'ratio':>8}{'peak MB':>9}")
    _tell("pg_dump -f /dev/null", peer, peer)
    for form, runs in ours.items():
        _tell(f"compare, {form}", runs, peer)


def _tell(what: str, runs: Sequence[Spent], peer: Sequence[Spent]) -> None:
    wall, walls = _beside(runs, peer, lambda one: one.wall)
    processor, processors = _beside(runs, peer, lambda one: one.processor)
    peak = max(one.peak for one in runs) / 1e6
    print(f"{what:<28}{wall:>9.2f}{walls:>8.1f}{processor:>13.2f}{processors:>8.1f}{peak:>9.0f}")


def _beside(
    runs: Sequence[Spent], peer: Sequence[Spent], figure: Callable[[Spent], float]
) -> tuple[float, float]:
    """The median of a figure, and the median of its ratios to the peer's of the same run."""
    ratios = [figure(a) / figure(b) for a, b in zip(runs, peer, strict=True)]
    return statistics.median(figure(one) for one in runs), statistics.median(ratios)


if __name__ == "__main__":
    main()
