"""Many tables of few rows: the kit beside `pg_dump` of the same database to nowhere.

    python -m bench.small --tables 1000 --rows 20

One table in a hundred loses half of its rows after the dump. Two figures of whole processes,
the start of Python among them: wall time, and the processor time of the process and its
children (what the server works is in neither). The ratios are those of a run; machines differ
and are busy, and processor time differs less.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.sheet import Sheet, Spent, parser, spent
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
ROWS = 20
_PEER = "pg_dump -f /dev/null"
_MANY = 10_000  # tables
_REACH, _REACH_MANY = 5.0, 3.0
FORMS = {"plain": ("-Fp", "backup.sql"), "-Fc": ("-Fc", "backup.dump")}


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
        for form, (option, name) in FORMS.items():
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
    asked = parser(__doc__)
    asked.add_argument("--tables", type=int, default=1000)
    asked.add_argument("--rows", type=int, default=ROWS)
    asked.add_argument("--runs", type=int, default=3)
    options = asked.parse_args()
    with world(options.tables, options.rows) as (server, dumps):
        dsn, env = server.dsn("bench"), {**os.environ, **server.env}
        folder = dumps["plain"].parent
        peer, ours = [], {form: list[Spent]() for form in dumps}
        for n in range(options.runs):
            peer.append(spent([server.bin / "pg_dump", "-f", "/dev/null", "-d", dsn], env))
            for form, dump in dumps.items():
                command = kit(dump, dsn, folder / f"case{n}{form}")
                ours[form].append(spent(command))
    reach = _REACH_MANY
    if options.tables < _MANY:
        reach = _REACH
    sheet = Sheet(
        f"small tables {options.tables}",
        f"{options.tables:,} tables of {options.rows:,} rows, {options.runs} runs, medians",
    )
    sheet.peer(_PEER, peer)
    for form, runs in ours.items():
        sheet.add(f"compare, {form}", runs, _PEER, peer, reach=reach)
    sheet.close()


if __name__ == "__main__":
    main()
