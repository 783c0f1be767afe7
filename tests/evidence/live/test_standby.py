"""A real hot standby that replays at once: queries are cancelled and snapshots are ended, and no
number is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.compare import workers
from tests.clusters import (
    CHANGE,
    SCHEMA,
    Interferer,
    Primary,
    Standby,
    check,
    once_big_streams,
    once_loss_is_worked_out,
    sessions,
)

TO_VACUUM = "INSERT INTO churn SELECT generate_series(1, 500); DELETE FROM churn; VACUUM churn"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Primary, Standby, Path]]:
    """A primary after an incident, a standby of it, and the dump from before."""
    with Primary() as primary:
        primary.run("postgres", SCHEMA)
        backup = primary.dump(
            "postgres", tmp_path_factory.mktemp("standby") / "backup.dump", "-Fc", "-Z1"
        )
        with Standby(primary) as standby:
            primary.run("postgres", CHANGE)
            standby.catch_up()
            yield primary, standby, backup


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_snapshot_that_replay_ends_is_replaced_and_said(
    jobs: int, pair: tuple[Primary, Standby, Path], tmp_path: Path
) -> None:
    primary, standby, backup = pair
    listener = Interferer(once_big_streams, lambda: primary.run("postgres", TO_VACUUM) and None)
    with fx.compare(
        backup, standby.dsn(), tmp_path / "case", options=fx.Options(jobs=jobs), listener=listener
    ) as case:
        assert listener.struck == 1
        check(case)
        assert len(case.snapshots) == 2
        first, second = (m["tables"] for m in case.snapshots)
        assert first
        assert jobs > 1 or "a_first" in first
        assert "big" in second
        for r in case.results:
            assert any("later snapshot" in n for n in r.notes) == (str(r.name) in second)
        [note] = case.notes
        assert "2 snapshots" in note
        assert case.summary()["live"]["snapshots"][1]["tables"] == second
        assert any("conflict with recovery" in text for text in listener.said)
    assert sessions(standby) == 0


def test_a_lock_that_replay_needs_costs_a_second_reading_and_no_snapshot(
    pair: tuple[Primary, Standby, Path], tmp_path: Path
) -> None:
    primary, standby, backup = pair
    lock = "BEGIN; LOCK TABLE big IN ACCESS EXCLUSIVE MODE; COMMIT"
    listener = Interferer(once_big_streams, lambda: primary.run("postgres", lock) and None)
    with fx.compare(backup, standby.dsn(), tmp_path / "case", listener=listener) as case:
        assert listener.struck == 1
        check(case)
        assert len(case.snapshots) == 1
        assert case.notes == []


def test_a_snapshot_that_ends_while_the_loss_is_worked_out(
    pair: tuple[Primary, Standby, Path], tmp_path: Path
) -> None:
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
    monkeypatch.setattr(workers, "_WAITS", (0.05, 0.05))
    listener = Interferer(
        lambda me, table: table is not None and table.table == "big" and "big" not in me.done,
        lambda: primary.run("postgres", TO_VACUUM) and None,
    )
    with fx.compare(backup, standby.dsn(), tmp_path / "case", listener=listener) as case:
        assert not case.complete
        failed = case.result("big")
        assert failed.state == "failed"
        for word in (
            "big",
            "conflict with recovery",
            "--resume",
            "max_standby_streaming_delay",
            "hot_standby_feedback",
        ):
            assert word in (failed.reason or "")
    with fx.compare(
        backup, standby.dsn(), tmp_path / "case", options=fx.Options(resume=True)
    ) as case:
        check(case)
        assert case.notes


@pytest.mark.usefixtures("one_by_one")
def test_a_table_that_is_truncated_under_the_snapshot_is_not_taken_for_lost(
    pair: tuple[Primary, Standby, Path], tmp_path: Path
) -> None:
    """TRUNCATE takes the rows from older snapshots too, and says nothing. What is read then is of a
    later moment, and said to be."""
    primary, standby, backup = pair
    primary.run(
        "postgres",
        (
            "CREATE TABLE z_last (id int PRIMARY KEY); "
            "INSERT INTO z_last SELECT generate_series(1, 100)"
        ),
    )
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
