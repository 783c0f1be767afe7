"""Whether twice the rows take twice the time, and no more memory.

    python -m bench.growth --rows 1000000 5000000 20000000

The incident is `bench.compare`'s, compared with `--memory 512MB`. Beside it stand a table of 200
columns and one with rows of a megabyte, against their COPY to nowhere. Processor seconds are the
kit's own and its psql's: a busy machine does not make them more.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from bench.compare import BEFORE, CHANGE
from bench.sheet import spent
from forensics.scratch import Scratch

AIM = 1.15  # times linear
_COLUMNS = ", ".join(f"c{i} text" for i in range(200))
_VALUES = ", ".join(f"md5((i + {i})::text)" for i in range(200))
_WIDE = f"""
CREATE TABLE wide (id int PRIMARY KEY, {_COLUMNS});
INSERT INTO wide SELECT i, {_VALUES} FROM generate_series(1, {{rows}}) i;
"""
_LONG = """
CREATE TABLE long (id int PRIMARY KEY, body text);
ALTER TABLE long ALTER body SET STORAGE EXTERNAL;
INSERT INTO long SELECT i, repeat(md5(i::text), 32768) FROM generate_series(1, {rows}) i;
"""
_KIT = """
import sys, json, resource, time, forensics as fx
started = time.monotonic()
options = fx.Options(memory="512MB")
with fx.compare(sys.argv[1], sys.argv[2], sys.argv[3], options=options) as case:
    seconds = time.monotonic() - started
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    print(json.dumps({"seconds": seconds, "used": used, "missing": case.totals["missing"]}))
"""


def main() -> None:
    """Build, measure, print a table; exit 1 where growth is more than linear."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000, 20_000_000])
    parser.add_argument("--wide", type=int, default=20_000)
    parser.add_argument("--long", type=int, default=200)
    options = parser.parse_args()
    print(f"{'what':<24}{'seconds':>9}{'used':>8}{'a million':>11}{'peak MB':>9}{'missing':>9}")
    used = []
    with Scratch(settings={"shared_buffers": "256MB"}) as server:
        for rows in options.rows:
            found = _measured(server, f"{rows:,} rows", BEFORE.format(rows=rows), CHANGE)
            used.append(found * 1e6 / rows)
        change = "DELETE FROM {} WHERE id % 100 = 0"
        _measured(server, "200 columns", _WIDE.format(rows=options.wide), change.format("wide"))
        _measured(server, "rows of 1 MB", _LONG.format(rows=options.long), change.format("long"))
    worst = 1.0
    for place, found in enumerate(used):
        worst = max(worst, found / min(used[: place + 1]))
    met = worst <= AIM
    print(f"\n{worst:.2f} x linear, aim {AIM}: {'met' if met else 'MISSED'}")
    sys.exit(not met)


def _measured(server: Scratch, what: str, before: str, change: str) -> float:
    """Build an incident, compare it, print its line; return the processor seconds."""
    server.drop("growth")
    server.create("growth")
    server.run("growth", before)
    with tempfile.TemporaryDirectory() as folder:
        backup = server.dump("growth", Path(folder) / "backup.sql")
        server.run("growth", change)
        case = Path(folder) / "case"
        run = spent([sys.executable, "-c", _KIT, backup, server.dsn("growth"), case])
    told = json.loads(run.output)
    share = ""
    if what.endswith("rows"):
        share = f"{told['used'] * 1e6 / int(what.split()[0].replace(',', '')):.2f}"
    print(
        f"{what:<24}{told['seconds']:>9.1f}{told['used']:>8.1f}{share:>11}"
        f"{run.peak / 1e6:>9.0f}{told['missing']:>9,}",
        flush=True,
    )
    return float(told["used"])


if __name__ == "__main__":
    main()
