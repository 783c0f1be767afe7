"""`--memory` bounds the process, whatever the table.

20 million rows in another order, without a key, and all of them changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import Cluster

ROWS = 20_000_000
MEMORY, OVERHEAD, PER_DIFFERENT_ROW = 512, 600, 16 / (1 << 20)  # MB
STEP = 12_345_701  # no divisor of ROWS: every row comes once, in another order


@pytest.fixture(scope="module")
def large() -> Iterator[Cluster]:
    with Cluster(
        {"max_wal_size": "20GB", "work_mem": "256MB", "maintenance_work_mem": "512MB"}
    ) as cluster:
        yield cluster


def links(name: str, rows: str, image: str = "''") -> str:
    return (
        f"CREATE TABLE {name} AS SELECT 'cm' || substr(md5(i::text), 1, 22) AS id, "
        "'cm' || substr(md5('h' || i % 500000), 1, 22) AS hotel_id, "
        f"'cm' || substr(md5('m' || i), 1, 22) || {image} AS image_id, i::int AS sort_order "
        f"FROM {rows}"
    )


IN_ORDER = f"generate_series(1, {ROWS}) i"
SHUFFLED = f"(SELECT 1 + g * {STEP}::bigint % {ROWS} AS i FROM generate_series(0, {ROWS - 1}) g) s"


@pytest.mark.soak
@pytest.mark.parametrize("what", ["no key, another order", "every row changed, another order"])
def test_twenty_million_rows_in_half_a_gigabyte(what: str, large: Cluster, tmp_path: Path) -> None:
    keyed = what.startswith("every")
    key = "; ALTER TABLE links ADD PRIMARY KEY (id)" if keyed else ""
    large.drop("large")
    large.create("large")
    large.run("large", links("links", IN_ORDER) + key)
    backup = large.dump("large", tmp_path / "backup.sql")
    changed = (
        links("other", SHUFFLED, "'x'")
        if keyed
        else links("other", f"{SHUFFLED} WHERE i % 100 <> 7")
    )
    large.run("large", f"{changed}; DROP TABLE links; ALTER TABLE other RENAME TO links{key}")
    case = tmp_path / "case"
    command = [
        sys.executable,
        "-m",
        "forensics",
        "compare",
        str(backup),
        large.dsn("large"),
        "--case",
        str(case),
        "--json",
        "--memory",
        f"{MEMORY}MB",
    ]
    with (tmp_path / "out").open("w") as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
    [table] = json.loads((tmp_path / "out").read_text())["tables"]
    missing = 0 if keyed else ROWS // 100
    wanted = {
        "backup_rows": ROWS,
        "live_rows": ROWS - missing,
        "missing": missing,
        "added": 0,
        "changed": ROWS if keyed else 0,
    }
    assert {n: table[n] for n in wanted} == wanted
    assert os.waitstatus_to_exitcode(status) == (0 if keyed else 1)
    peak = usage.ru_maxrss / 1024
    print(f"{what}: {usage.ru_utime + usage.ru_stime:.0f} s of processor time, peak {peak:.0f} MB")
    assert peak < MEMORY + OVERHEAD + PER_DIFFERENT_ROW * (missing + table["changed"])
    assert not (case / "spill").exists()
