"""Both sides, opened at once: what is said first, and what is let go of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import BackupError, EvidenceError, LiveError
from forensics.evidence import open_both, opening
from forensics.model import TableName
from forensics.scratch import Scratch

PIERS = "CREATE TABLE piers (id int PRIMARY KEY); INSERT INTO piers SELECT generate_series(1, 5)"
NOWHERE = "host=/nowhere/at/all dbname=x user=y"


def sessions(scratch: Scratch, name: str) -> int:
    found = scratch.run(
        "postgres", f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    return int(str(found).strip())


def none_is_left(scratch: Scratch, name: str) -> bool:
    until = time.monotonic() + 10
    while sessions(scratch, name) and time.monotonic() < until:
        time.sleep(0.05)
    return not sessions(scratch, name)


@pytest.fixture
def piers(scratch: Scratch, database: Callable[..., str], tmp_path: Path) -> tuple[str, Path]:
    name = database(PIERS)
    return name, scratch.dump(name, tmp_path / "piers.sql")


def test_live_is_described_while_a_short_backup_is_opened(
    piers: tuple[str, Path], scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, dump = piers
    for most, thread in ((1 << 20, "live"), (10, "MainThread")):
        monkeypatch.setattr(opening, "_SHORT", most)
        told: list[str] = []
        open_source = opening.open_source

        def noted(
            *given: object,
            told: list[str] = told,
            opens: Callable[..., object] = open_source,
            **how: object,
        ) -> object:
            told.append(f"{how['role']} {threading.current_thread().name}")
            return opens(*given, **how)

        with monkeypatch.context() as patched:
            patched.setattr(opening, "open_source", noted)
            with open_both(dump, [scratch.dsn(name)]) as (backup, live):
                assert backup.catalog.tables.keys() == live.catalog.tables.keys()
                assert live.count(TableName("public", "piers")) == 5
        assert sorted(told) == ["backup MainThread", f"live {thread}"]
        assert none_is_left(scratch, name)


def test_what_is_wrong_with_the_backup_is_said_first(
    piers: tuple[str, Path], scratch: Scratch, tmp_path: Path
) -> None:
    name, _ = piers
    bad = tmp_path / "bad.sql"
    bad.write_text("nothing of a dump")
    for live in (NOWHERE, scratch.dsn(name)):
        with pytest.raises(BackupError, match=r"bad\.sql"):
            fx.compare(bad, live, tmp_path / "case")
    assert none_is_left(scratch, name), "live was opened for nothing, and let go of"


def test_a_live_that_cannot_be_reached_is_said_as_ever(
    piers: tuple[str, Path], tmp_path: Path
) -> None:
    _, dump = piers
    with pytest.raises(LiveError, match="cannot be reached"):
        fx.compare(dump, NOWHERE, tmp_path / "case")


def test_a_catalogue_that_is_refused_is_refused_to_who_asks(
    piers: tuple[str, Path], scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forensics.evidence.live.source import LiveSource

    name, dump = piers

    def refuses(_: LiveSource) -> None:
        raise LiveError("No catalogue today.")

    monkeypatch.setattr(LiveSource, "_read_catalog", refuses)
    refused = pytest.raises(EvidenceError, match="No catalogue today")
    with open_both(dump, [scratch.dsn(name)]) as (_, live), refused:
        _ = live.catalog
