"""`make bench`: N junction rows compared by the kit and by its alternatives, in one run.

    python -m bench.compare --rows 5000000

One hundredth of the rows is deleted and one thousandth changed after the dump. Times are of
whole processes; the kit has a second line without the start of Python and its imports, which is
the same for every size, and the aim is held against that one. The figures to quote are the
ratios, because machines differ and are busy.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.scratch import Scratch

AIM_RATIO, AIM_BYTES = 2.0, 1.2e9
_PANDAS_ROWS = 500_000

_BEFORE = """
CREATE TABLE hotel_images (id text PRIMARY KEY, hotel_id text NOT NULL, asset_id text NOT NULL,
  sort_order int NOT NULL,
  is_primary boolean NOT NULL, created_at timestamp(3) NOT NULL);
INSERT INTO hotel_images SELECT 'cm' || substr(md5(i::text), 1, 22),
  'ho' || substr(md5((i % 200000)::text), 1, 22),
  'as' || substr(md5((i * 7 % 900000)::text), 1, 22), i % 30, i % 30 = 0,
  timestamp '2025-01-01' + i * interval '5.001 s'
  FROM generate_series(1, {rows}) i;
"""
_CHANGE = """
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


@dataclass(frozen=True)
class Run:
    """One process: wall seconds, and the peak memory of its largest process in bytes."""

    seconds: float
    peak: int
    output: str


def timed(
    command: Sequence[str | Path], env: dict[str, str] | None = None, *, keep: bool = True
) -> Run:
    """Run a process and take its time and memory.

    Raises:
        RuntimeError: it failed in a way that the benchmark does not expect.
    """
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        child = subprocess.Popen(
            [str(c) for c in command], stdout=out if keep else subprocess.DEVNULL, env=env
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1):
            raise RuntimeError(f"{command[:3]} ended with {child.returncode}")
        out.seek(0)
        return Run(seconds, usage.ru_maxrss * 1024, out.read().decode())


def main() -> None:
    """Build, measure, print a table; exit 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with (
        Scratch(settings={"shared_buffers": "256MB", "max_wal_size": "4GB"}) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        print(f"building {options.rows:,} rows", file=sys.stderr)
        server.create("bench")
        server.run("bench", _BEFORE.format(rows=options.rows))
        backup = server.dump("bench", Path(folder) / "backup.sql")
        server.run("bench", _CHANGE)
        dsn, env = server.dsn("bench"), {**os.environ, **server.env}
        limit, kit, inner = [], [], []
        for n in range(options.runs):
            limit.append(_limit(server.psql, dsn, env, backup))
            kit.append(
                timed([sys.executable, "-c", _KIT, backup, dsn, str(Path(folder) / f"case{n}")])
            )
            inner.append(json.loads(kit[-1].output)["seconds"])
            print(
                f"run {n + 1}: limit {limit[-1].seconds:.2f} s, kit {inner[-1]:.2f} s, "
                f"its process {kit[-1].seconds:.2f} s",
                file=sys.stderr,
            )
        totals = json.loads(kit[-1].output)["totals"]
        base = statistics.median(r.seconds for r in limit)
        ratio = statistics.median(k / lim.seconds for k, lim in zip(inner, limit, strict=True))
        whole = statistics.median(
            k.seconds / lim.seconds for k, lim in zip(kit, limit, strict=True)
        )
        peak = max(r.peak for r in kit)
        rows = [("the limit: COPY beside sha256sum", base, 1.0, 0, "")]
        found = f"{totals['missing']:,} missing, {totals['changed']:,} changed"
        rows.append(
            ("this kit, from its call to the case", statistics.median(inner), ratio, peak, found)
        )
        rows.append(
            (
                "this kit, the whole process",
                statistics.median(r.seconds for r in kit),
                whole,
                peak,
                "",
            )
        )
        rows += _alternatives(server, backup, env, options.rows, base)
    print(f"\n{options.rows:,} rows, {options.runs} runs, medians\n")
    print(f"{'what':<36}{'seconds':>9}{'ratio':>8}{'peak MB':>9}")
    for what, seconds, times, memory, note in rows:
        print(
            f"{what:<36}{seconds:>9.1f}{times:>8.2f}{f'{memory / 1e6:.0f}' if memory else '–':>9} "
            f" {note}"
        )
    met = ratio <= AIM_RATIO and peak <= AIM_BYTES
    print(
        f"\naim: at most {AIM_RATIO} x the limit and {AIM_BYTES / 1e9} GB: "
        f"{'met' if met else 'MISSED'}"
    )
    sys.exit(not met)


def _limit(psql: Path, dsn: str, env: dict[str, str], backup: Path) -> Run:
    """What cannot be saved: live's rows to nowhere, and beside it the hash of the backup."""
    started = time.monotonic()
    with subprocess.Popen(["sha256sum", str(backup)], stdout=subprocess.DEVNULL):
        copied = timed(
            [psql, "-Xq", "-d", dsn, "-c", "COPY hotel_images TO STDOUT"], env, keep=False
        )
    return replace(copied, seconds=time.monotonic() - started)


def _alternatives(
    server: Scratch, backup: Path, env: dict[str, str], rows: int, base: float
) -> list[tuple[str, float, float, int, str]]:
    server.create("without", "bench")
    server.run(
        "without",
        "ALTER TABLE hotel_images RENAME TO live_images; "
        "ALTER INDEX hotel_images_pkey RENAME TO live_images_pkey",
    )
    dsn = server.dsn("without")
    restore = timed([server.psql, "-Xq", "-d", dsn, "-f", backup], env, keep=False)
    compare = timed([server.psql, "-XAtq", "-d", dsn, "-c", _EXCEPT], env)
    seconds = restore.seconds + compare.seconds
    missing, added = compare.output.strip().split("|")
    note = (
        f"{missing} and {added} rows differ; "
        f"restore {restore.seconds:.1f}, EXCEPT {compare.seconds:.1f}"
    )
    found = [
        ("restore, then EXCEPT", seconds, seconds / base, max(restore.peak, compare.peak), note)
    ]
    some = min(rows, _PANDAS_ROWS)
    pandas = timed([sys.executable, "-c", _PANDAS, dsn, str(some)], env)
    scaled = pandas.seconds * rows / some
    found.append(
        (
            "pandas read_sql and merge",
            scaled,
            scaled / base,
            pandas.peak,
            f"measured on {some:,} rows and multiplied; memory is of those, restore left out",
        )
    )
    return found


if __name__ == "__main__":
    main()
