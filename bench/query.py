"""`query` of a plain dump beside reading it with DuckDB's CSV reader, and beside restoring it.

    python -m bench.query --rows 5000000

The question goes through every row and needs three columns of six. The first peer does what nobody
who reads a dump can do without: it goes through the file once for its statements, as `inspect`
does, and hands the very same rows to DuckDB's own reader of CSV, as a file, with the types given;
the rows are cut out beforehand. The second restores the dump and asks PostgreSQL the same. All
times are of whole processes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from bench.compare import BEFORE
from bench.sheet import Sheet, Spent, parser, spent
from forensics.scratch import Scratch

_REACH_CSV, _REACH_RESTORE = 1.3, 0.2
_SQL = """SELECT is_primary, count(*) AS images, avg(sort_order) AS average, max(created_at) AS last
  FROM hotel_images GROUP BY is_primary ORDER BY is_primary"""
_READ = """
import sys, duckdb
from forensics.evidence import open_source
dump, lines, sql = sys.argv[1:]
with open_source(dump, role="backup") as source:
    held = source.contents()
rows = (
    "read_csv('" + lines + "', delim='\\t', header=false, quote='', escape='', nullstr='\\\\N',"
    " auto_detect=false, columns={'id': 'VARCHAR', 'hotel_id': 'VARCHAR', 'asset_id': 'VARCHAR',"
    " 'sort_order': 'INTEGER', 'is_primary': 'VARCHAR', 'created_at': 'TIMESTAMP'})"
)
print(len(held), duckdb.sql(sql.replace("hotel_images", rows)).fetchall())
"""


def main() -> None:
    """Write a dump, ask in turns, print a table."""
    asked = parser(__doc__)
    asked.add_argument("--rows", type=int, default=5_000_000)
    asked.add_argument("--runs", type=int, default=3)
    options = asked.parse_args()
    settings = {"max_wal_size": "4GB", "shared_buffers": "256MB"}
    with (
        tempfile.TemporaryDirectory(prefix="forensics-bench-") as folder,
        Scratch(settings=settings) as server,
    ):
        server.create("bench")
        server.run("bench", BEFORE.format(rows=options.rows))
        dump = server.dump("bench", Path(folder) / "backup.sql")
        server.drop("bench")
        lines = _lines(dump, Path(folder) / "rows.tsv")
        sheet = Sheet("query", f"an aggregate over {options.rows:,} rows of a plain dump")
        ours, read, restored = list[Spent](), list[Spent](), list[Spent]()
        for turn in range(options.runs):
            query: list[str | Path] = [sys.executable, "-m", "forensics", "query", dump, _SQL]
            ours.append(spent([*query, "--json"], statuses=(0,)))
            read.append(_read(dump, lines))
            restored.append(_restored(server, dump, f"restored{turn}"))
    csv, restore = "inspect's reading, and DuckDB's CSV reader", "restore, and the same question"
    sheet.peer(csv, read)
    sheet.add("query", ours, csv, read, reach=_REACH_CSV)
    sheet.peer(restore, restored, note="its processor time is psql's alone")
    sheet.add("query", ours, restore, restored, reach=_REACH_RESTORE)
    sheet.close()


def _lines(dump: Path, out: Path) -> Path:
    """The rows of a dump's table as a file of their own."""
    with dump.open("rb") as read, out.open("wb") as written:
        for line in read:
            if line.startswith(b"COPY public.hotel_images "):
                break
        for line in read:
            if line == b"\\.\n":
                break
            written.write(line)
    return out


def _read(dump: Path, lines: Path) -> Spent:
    """Going through a dump for its statements, then through its rows with DuckDB."""
    return spent([sys.executable, "-c", _READ, dump, lines, _SQL], statuses=(0,))


def _restored(server: Scratch, dump: Path, name: str) -> Spent:
    """Restoring a dump, then asking; the database is dropped outside of the time."""
    server.create(name)
    psql: list[str | Path] = [server.psql, "-XAtq", "-d", server.dsn(name)]
    env = {**os.environ, **server.env}
    try:
        return _sum(
            spent([*psql, "-f", dump], env, statuses=(0,)),
            spent([*psql, "-c", _SQL], env, statuses=(0,)),
        )
    finally:
        server.drop(name)


def _sum(one: Spent, other: Spent) -> Spent:
    peak = max(one.peak, other.peak)
    return Spent(one.wall + other.wall, one.processor + other.processor, peak)


if __name__ == "__main__":
    main()
