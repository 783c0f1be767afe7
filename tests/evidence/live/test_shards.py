"""Several databases as one side: their rows are taken together."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import UsageError
from forensics.scratch import Scratch

ROOT = Path(__file__).parent.parent.parent.parent
WHOLE = """
CREATE TABLE parcels (id bigint PRIMARY KEY, town text, at timestamptz, weight numeric);
INSERT INTO parcels SELECT i, 't' || i % 5, now() + i * interval '1 s', i
  FROM generate_series(1, 3000) i;
CREATE TABLE scans (parcel bigint, gate int);
INSERT INTO scans SELECT i % 900, i % 4 FROM generate_series(1, 2000) i;
"""
EAST = "DELETE FROM parcels WHERE id % 2 = 0; DELETE FROM scans WHERE gate > 1;"
WEST = (
    "DELETE FROM parcels WHERE id % 2 = 1; DELETE FROM scans WHERE gate < 2;"
    "DELETE FROM parcels WHERE id BETWEEN 100 AND 119; UPDATE parcels SET town = 'x' WHERE id = 8;"
    "INSERT INTO parcels VALUES (9000, 'new'); DELETE FROM scans WHERE parcel = 7"
)


@pytest.fixture
def shards(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> tuple[Path, list[str]]:
    whole = database(WHOLE)
    backup = scratch.dump(whole, tmp_path / "backup.sql")
    names = []
    for change in (EAST, WEST):
        name = database(template=whole)
        scratch.run(name, change)
        names.append(scratch.dsn(name))
    return backup, names


def test_rows_of_shards_are_taken_together(shards: tuple[Path, list[str]], tmp_path: Path) -> None:
    backup, lives = shards
    heard: list[str] = []

    class Hearing(fx.Listener):
        """Keeps what is said."""

        def minds(self, text: str) -> None:
            heard.append(text)

    with fx.compare(backup, lives, tmp_path / "case", listener=Hearing()) as case:
        parcels, scans = case.result("parcels"), case.result("scans")
        assert case.complete
    assert (parcels.missing, parcels.changed, parcels.added) == (10, 1, 1)
    assert parcels.live_rows == 2991
    assert parcels.unchanged == 2989
    assert (scans.missing, scans.added) == (3, 0)
    assert any("2 databases of live" in text for text in heard)


def test_the_flag_is_repeated(shards: tuple[Path, list[str]], tmp_path: Path) -> None:
    backup, lives = shards
    command = [sys.executable, "-m", "forensics", "compare", str(backup)]
    for live in lives:
        command += ["--live", live]
    command += ["--case", str(tmp_path / "case"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["totals"]["missing"] == 13
    assert found["live"]["kind"] == "database"


def test_shards_that_are_not_alike(
    shards: tuple[Path, list[str]], database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    backup, lives = shards
    other = scratch.dsn(database("CREATE TABLE parcels (id bigint PRIMARY KEY)"))
    with pytest.raises(UsageError, match="Table parcels is not the same"):
        fx.compare(backup, [lives[0], other], tmp_path / "case")
    with pytest.raises(UsageError, match="Only databases can be several"):
        fx.compare(backup, [lives[0], str(backup)], tmp_path / "case")
