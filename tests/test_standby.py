"""A real hot standby that replays at once: queries are cancelled and snapshots are ended, and no number is wrong."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.model import TableName, TableResult
from tests.clusters import Primary, Standby, sessions

# Large enough that live is still at it when the first rows have come: pipes and blocks read ahead hold some 30 MB.
BIG = 400_000
SCHEMA = f"""
CREATE TABLE churn (id int);
CREATE TABLE a_first (id int PRIMARY KEY, v text);
CREATE TABLE big (id int PRIMARY KEY, v text);
CREATE TABLE hotels (id int PRIMARY KEY, name text);
CREATE TABLE images (id int PRIMARY KEY, url text);
CREATE TABLE hotel_images (hotel_id int REFERENCES hotels, image_id int REFERENCES images, PRIMARY KEY (hotel_id, image_id));
INSERT INTO a_first SELECT i, 'v' || i FROM generate_series(1, 1000) i;
INSERT INTO big SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, {BIG}) i;
INSERT INTO hotels SELECT i, 'hotel ' || i FROM generate_series(1, 500) i;
INSERT INTO images SELECT i, 'https://img.example/' || i FROM generate_series(1, 5000) i;
INSERT INTO hotel_images SELECT 1 + i % 500, i FROM generate_series(1, 5000) i;
"""
CHANGE = """
DELETE FROM a_first WHERE id <= 10; UPDATE big SET v = 'new' WHERE id % 1000 = 0; DELETE FROM big WHERE id % 1000 = 1;
DELETE FROM hotel_images WHERE image_id % 10 = 3;
"""
RIGHT = {"a_first": (10, 0), "big": (400, 400), "hotel_images": (500, 0), "hotels": (0, 0), "images": (0, 0)}
TO_VACUUM = "INSERT INTO churn SELECT generate_series(1, 500); DELETE FROM churn; VACUUM churn"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Primary, Standby, Path]]:
    """A primary after an incident, a standby of it, and the dump from before."""
    with Primary() as primary:
        primary.run("postgres", SCHEMA)
        backup = primary.dump("postgres", tmp_path_factory.mktemp("standby") / "backup.dump", "-Fc", "-Z1")
        with Standby(primary) as standby:
            primary.run("postgres", CHANGE)
            standby.catch_up()
            yield primary, standby, backup


class Interferer(fx.Listener):
    """Does something on the primary, as `when` says; keeps what it was told."""

    def __init__(self, when: Callable[[Interferer, TableName | None], bool], what: Callable[[], None]) -> None:
        self._when, self._what = when, what
        self._lock = threading.Lock()
        self.done: list[str] = []
        self.said: list[str] = []
        self.struck = 0

    def _look(self, table: TableName | None) -> None:
        with self._lock:
            if self._when(self, table):
                self.struck += 1
                self._what()

    def rows(self, table: TableName, rows: int) -> None:
        self._look(table)

    def ends(self, result: TableResult) -> None:
        self.done.append(result.name.table)
        self._look(None)

    def minds(self, text: str) -> None:
        self.said.append(text)


def once_big_streams(listener: Interferer, table: TableName | None) -> bool:
    return not listener.struck and table is not None and table.table == "big"


def once_loss_is_worked_out(listener: Interferer, table: TableName | None) -> bool:
    return not listener.struck and len(listener.done) == 6 and table is not None


def check(case: fx.Case) -> None:
    assert case.complete
    assert {r.name.table: (r.missing, r.changed) for r in case.results if r.name.table != "churn"} == RIGHT
    for r in case.results:
        assert r.missing + r.changed + r.unchanged == r.backup_rows
    entry = case.junction("hotel_images").entry
    assert (entry["missing"], entry["lost"], entry["restorable"]) == (500, 500, 500)


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_snapshot_that_replay_ends_is_replaced_and_said(jobs: int, pair: tuple[Primary, Standby, Path], tmp_path: Path) -> None:
    primary, standby, backup = pair
    listener = Interferer(once_big_streams, lambda: primary.run("postgres", TO_VACUUM) and None)
    with fx.compare(backup, standby.dsn(), tmp_path / "case", options=fx.Options(jobs=jobs), listener=listener) as case:
        assert listener.struck == 1
        check(case)
        assert len(case.snapshots) == 2
        first, second = (m["tables"] for m in case.snapshots)
        assert "a_first" in first
        assert "big" in second
        for r in case.results:
            assert any("later snapshot" in n for n in r.notes) == (str(r.name) in second)
        [note] = case.notes
        assert "2 snapshots" in note
        assert case.summary()["live"]["snapshots"][1]["tables"] == second
        assert any("conflict with recovery" in text for text in listener.said)
    assert sessions(standby) == 0


def test_a_lock_that_replay_needs_costs_a_second_reading_and_no_snapshot(pair: tuple[Primary, Standby, Path], tmp_path: Path) -> None:
    primary, standby, backup = pair
    lock = "BEGIN; LOCK TABLE big IN ACCESS EXCLUSIVE MODE; COMMIT"
    listener = Interferer(once_big_streams, lambda: primary.run("postgres", lock) and None)
    with fx.compare(backup, standby.dsn(), tmp_path / "case", listener=listener) as case:
        assert listener.struck == 1
        check(case)
        assert len(case.snapshots) == 1
        assert case.notes == []


def test_a_snapshot_that_ends_while_the_loss_is_worked_out(pair: tuple[Primary, Standby, Path], tmp_path: Path) -> None:
    primary, standby, backup = pair

    def replay() -> None:
        primary.run("postgres", TO_VACUUM)
        standby.catch_up()

    listener = Interferer(once_loss_is_worked_out, replay)
    with fx.compare(backup, standby.dsn(), tmp_path / "case", listener=listener) as case:
        assert listener.struck == 1
        check(case)
        assert case.loss["failed"] == []


def test_a_standby_that_never_rests_is_said_and_resumed(
    pair: tuple[Primary, Standby, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    primary, standby, backup = pair
    monkeypatch.setattr(sys.modules["forensics.compare"], "_WAITS", (0.05, 0.05))
    listener = Interferer(
        lambda me, table: table is not None and table.table == "big" and "big" not in me.done,
        lambda: primary.run("postgres", TO_VACUUM) and None,
    )
    with fx.compare(backup, standby.dsn(), tmp_path / "case", listener=listener) as case:
        assert not case.complete
        failed = case.result("big")
        assert failed.state == "failed"
        for word in ("big", "conflict with recovery", "--resume", "max_standby_streaming_delay", "hot_standby_feedback"):
            assert word in (failed.reason or "")
    with fx.compare(backup, standby.dsn(), tmp_path / "case", options=fx.Options(resume=True)) as case:
        check(case)
        assert case.notes


def test_a_table_that_is_truncated_under_the_snapshot_is_not_taken_for_lost(pair: tuple[Primary, Standby, Path], tmp_path: Path) -> None:
    """TRUNCATE takes the rows from older snapshots too, and says nothing. What is read then is of a later moment, and said to be."""
    primary, standby, backup = pair
    primary.run("postgres", "CREATE TABLE z_last (id int PRIMARY KEY); INSERT INTO z_last SELECT generate_series(1, 100)")
    backup = primary.dump("postgres", tmp_path / "backup.dump", "-Fc", "-Z1")
    standby.catch_up()

    def refill() -> None:
        primary.run("postgres", "TRUNCATE z_last; INSERT INTO z_last SELECT generate_series(1, 99)")
        standby.catch_up()

    listener = Interferer(lambda me, table: not me.struck and table is None, refill)
    try:
        with fx.compare(backup, standby.dsn(), tmp_path / "case", listener=listener) as case:
            assert case.complete
            assert case.result("z_last").missing == 1
            assert any("later snapshot" in n for n in case.result("z_last").notes)
    finally:
        primary.run("postgres", "DROP TABLE z_last")
