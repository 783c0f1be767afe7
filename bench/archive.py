"""Reading an archive, held against `pg_restore -f /dev/null` in the same run.

    python -m bench.archive [--rows N] [ARCHIVE]

Without an archive it makes one: a junction table in a gzip custom archive. Both readers are
measured in turns and the best of each is taken, so that what else the machine does hits both.
The table of contents is measured on an archive of many tables. Prints one JSON document; exits
1 where an aim is missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.sheet import Sheet, Spent, parser
from forensics.evidence.archive.source import open_archive
from forensics.scratch import Scratch, find_programs

_PEER = "pg_restore -f /dev/null"
AIM_RATIO = 0.8  # of pg_restore's time
AIM_TOC = 0.2  # seconds

JUNCTION = """
CREATE TABLE hotel_images (id bigint PRIMARY KEY, hotel_id text NOT NULL, asset_id text NOT NULL,
  sort_order int,
    caption text, created_at timestamptz);
INSERT INTO hotel_images SELECT i, 'hot' || i % 20000, 'ast' || md5(i::text), i % 12,
    'A view of the pool number ' || i % 997, timestamptz '2025-01-01 00:00Z' + i * interval '7 s'
    FROM generate_series(1, {rows}) i;
"""
TABLES = """
SELECT format('CREATE TABLE %I (id bigint PRIMARY KEY, name text NOT NULL)', 'table_' || i)
    FROM generate_series(1, {tables}) i \\gexec
"""


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def make(folder: Path, name: str, script: str) -> Path:
    """Make a gzip custom archive of what `script` makes."""
    with Scratch() as server:
        server.create(name)
        server.run(name, script)
        return server.dump(name, folder / f"{name}.dump", "-Fc", "-Zgzip")


def read_toc(path: Path) -> int:
    """Read the table of contents; return how many entries it has."""
    source = open_archive(path)
    source.close()
    return len(source.toc.entries)


def read_rows(path: Path) -> int:
    """Read all rows; return how many bytes they are."""
    with open_archive(path) as source:
        return sum(
            len(b)
            for name in source.contents()
            for s in source.segments(name, ())
            for b in s.blocks()
        )


def main() -> int:
    """Measure, print, and say by the exit status whether the aims are met."""
    wanted = parser(__doc__)
    wanted.add_argument(
        "archive", nargs="?", type=Path, help="an archive to read instead of making one"
    )
    wanted.add_argument(
        "--rows", type=int, default=1_000_000, help="rows of the archive that is made"
    )
    wanted.add_argument(
        "--tables", type=int, default=2_000, help="tables of the archive whose contents are listed"
    )
    wanted.add_argument("--rounds", type=int, default=5)
    asked = wanted.parse_args()
    theirs, ours, toc = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = asked.archive or make(folder, "rows", JUNCTION.format(rows=asked.rows))
        many = make(folder, "tables", TABLES.format(tables=asked.tables))
        restore = [find_programs() / "pg_restore", "-f", "/dev/null", archive]
        for _ in range(asked.rounds):
            theirs.append(seconds(lambda: subprocess.run(restore, check=True)))
            ours.append(seconds(lambda: read_rows(archive)))
            toc.append(seconds(lambda: read_toc(many)))
        ratio = min(ours) / min(theirs)
        found = {
            "archive_bytes": archive.stat().st_size,
            "row_bytes": read_rows(archive),
            "pg_restore_seconds": round(min(theirs), 3),
            "our_seconds": round(min(ours), 3),
            "ratio": round(ratio, 3),
            "ratio_aim": AIM_RATIO,
            "toc_entries": read_toc(many),
            "toc_seconds": round(min(toc), 4),
            "toc_aim": AIM_TOC,
        }
    print(json.dumps(found, indent=2))
    sheet = Sheet("archive", "the rows of a custom archive that gzip packed")
    peers = [Spent(one) for one in theirs]
    sheet.peer(_PEER, peers)
    sheet.add("reading them", [Spent(one) for one in ours], _PEER, peers, reach=AIM_RATIO)
    sheet.close()
    return int(ratio > AIM_RATIO or min(toc) > AIM_TOC)


if __name__ == "__main__":
    sys.exit(main())
