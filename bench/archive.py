"""Reading an archive, held against `pg_restore -f /dev/null` in the same run.

    python bench/archive.py [--rows N] [ARCHIVE]

Without an archive it makes one: a junction table in a gzip custom archive. Both sides are measured in turns and the best of each is
taken, so that what else the machine does hits both. Prints one JSON document; exits 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from forensics.evidence.archive import open_archive
from forensics.scratch import Scratch, find_programs

AIM_ROWS = 0.8  # of pg_restore's time
AIM_TOC = 0.2  # seconds

JUNCTION = """
CREATE TABLE hotel_images (id bigint PRIMARY KEY, hotel_id text NOT NULL, asset_id text NOT NULL, sort_order int,
    caption text, created_at timestamptz);
INSERT INTO hotel_images SELECT i, 'hot' || i % 20000, 'ast' || md5(i::text), i % 12, 'A view of the pool number ' || i % 997,
    timestamptz '2025-01-01 00:00Z' + i * interval '7 s' FROM generate_series(1, {rows}) i;
SELECT format('CREATE TABLE %I (id bigint PRIMARY KEY, name text NOT NULL)', 'table_' || i) FROM generate_series(1, {tables}) i \\gexec
"""


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def make(folder: Path, rows: int, tables: int = 500) -> Path:
    """Make the archive that is read."""
    with Scratch() as server:
        server.run("postgres", JUNCTION.format(rows=rows, tables=tables))
        return server.dump("postgres", folder / "bench.dump", "-Fc", "-Zgzip")


def read_toc(path: Path) -> None:
    """Open the archive, which reads its table of contents."""
    open_archive(path).close()


def read_rows(path: Path) -> int:
    """Read all rows; return how many bytes they are."""
    with open_archive(path) as source:
        return sum(len(b) for name in source.contents() for s in source.segments(name, ()) for b in s.blocks())


def measure(path: Path, rounds: int) -> dict[str, object]:
    """Measure both readers in turns."""
    restore = [find_programs() / "pg_restore", "-f", "/dev/null", path]
    theirs, ours, toc = [], [], []
    for _ in range(rounds):
        theirs.append(seconds(lambda: subprocess.run(restore, check=True)))
        ours.append(seconds(lambda: read_rows(path)))
        toc.append(seconds(lambda: read_toc(path)))
    with open_archive(path) as source:
        entries = len(source.toc.entries)
    return {
        "archive_bytes": path.stat().st_size,
        "row_bytes": read_rows(path),
        "entries": entries,
        "pg_restore_seconds": round(min(theirs), 3),
        "our_seconds": round(min(ours), 3),
        "ratio": round(min(ours) / min(theirs), 3),
        "aim": AIM_ROWS,
        "toc_seconds": round(min(toc), 4),
        "toc_aim": AIM_TOC,
    }


def main() -> int:
    """Measure, print, and say by the exit status whether the aims are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", nargs="?", type=Path, help="an archive to read instead of making one")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the archive that is made")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(asked.archive or make(Path(folder), asked.rows), asked.rounds)
    print(json.dumps(found, indent=2))
    return int(found["our_seconds"] > AIM_ROWS * found["pg_restore_seconds"] or found["toc_seconds"] > AIM_TOC)  # type: ignore[operator]


if __name__ == "__main__":
    sys.exit(main())
