"""What is said before any row is compared, and which table is compared first."""

from __future__ import annotations

import gzip
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import zstandard

import forensics as fx
from forensics.compare import early, triage
from forensics.compare.options import Listener
from forensics.errors import BackupError
from forensics.evidence import dumps, head, open_source, opening
from forensics.model import TableName, TableResult
from tests.conftest import Incident

BEFORE = """
CREATE TABLE ships (id int PRIMARY KEY, name text, flag text);
INSERT INTO ships SELECT i, 'ship ' || i, 'nl' FROM generate_series(1, 300) i;
CREATE TABLE berths (id int PRIMARY KEY, pier int);
INSERT INTO berths SELECT i, i % 7 FROM generate_series(1, 40) i;
CREATE TABLE calls (ship int, berth int, at date, PRIMARY KEY (ship, berth, at));
INSERT INTO calls SELECT i, i % 40, '2026-01-01'::date + i % 90 FROM generate_series(1, 900) i;
CREATE TABLE crews (id int PRIMARY KEY, ship int);
INSERT INTO crews SELECT i, i FROM generate_series(1, 25) i;
CREATE TABLE empty_one (id int);
"""
CHANGE = """
DELETE FROM calls WHERE berth < 4;
DELETE FROM berths WHERE id = 40;
INSERT INTO crews VALUES (26, 1), (27, 1);
DROP TABLE ships;
ALTER TABLE crews DROP COLUMN ship;
"""


class Heard(Listener):
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.known: list[str] = []
        self.ended: list[str] = []
        self.first_rows: int | None = None

    def knows(self, sentences: Sequence[str]) -> None:
        assert not self.ended and self.first_rows is None, "a row was compared before it"
        self.known = list(sentences)

    def rows(self, table: TableName, rows: int) -> None:
        self.first_rows = self.first_rows or rows

    def ends(self, result: TableResult) -> None:
        self.ended.append(result.name.table)


FORMS = {"plain": (), "custom": ("-Fc",), "uncompressed": ("-Fc", "-Z0"), "tar": ("-Ft",)}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_gone_is_said_first(incident: Incident, one_by_one: None, form: str) -> None:
    incident.happens(BEFORE, CHANGE, *FORMS[form])
    heard = Heard()
    with incident.compare(listener=heard):
        pass
    assert heard.known == [
        "1 table is gone: ships (300 rows).",
        "1 column is gone: crews.ship.",
        "Row counts differ: calls 900 → 809 (91 fewer), "
        "berths 40 → 39 (1 fewer), crews 25 → 27 (2 more).",
        "1 table has as many rows as in the backup; "
        "whether they are the same rows is what is compared now.",
    ]
    assert heard.ended == ["ships", "calls", "berths", "crews", "empty_one"]


def test_a_database_as_the_backup_is_counted_too(incident: Incident, tmp_path: Path) -> None:
    incident.happens(BEFORE, CHANGE)
    heard = Heard()
    before = incident._scratch.dsn(incident.before)
    with fx.compare(before, incident.live_dsn, tmp_path / "c", listener=heard):
        pass
    assert heard.known[0] == "1 table is gone: ships (300 rows)."
    assert "calls 900 → 809 (91 fewer)" in heard.known[2]


def test_what_is_not_counted_in_time_has_sizes_and_is_no_verdict(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triage, "_SECONDS", 0.0)
    incident.happens(BEFORE, CHANGE + "ANALYZE;")
    heard = Heard()
    with incident.compare(listener=heard) as case:
        assert case.result("calls").missing == 91
    said = " ".join(heard.known)
    assert "1 table is gone: ships (" in said and "not counted yet" in said
    assert "Row counts differ" not in said
    assert "about 809 rows in live by its statistics" in said
    assert heard.ended[0] == "ships"


def test_statistics_that_lie_are_never_a_verdict(incident: Incident) -> None:
    lie = "UPDATE pg_class SET reltuples = 7 WHERE relname IN ('calls', 'berths');"
    incident.happens(BEFORE, lie)
    heard = Heard()
    with incident.compare(listener=heard):
        pass
    assert not any("differ" in said or " 7 " in said for said in heard.known)


def test_a_locked_table_is_not_waited_for(incident: Incident) -> None:
    incident.happens(BEFORE, "DELETE FROM crews WHERE id = 1")
    with (
        open_source(incident.live_dsn, role="live") as live,
        open_source(incident.live_dsn, role="live") as other,
    ):
        names = [t.name for t in live.catalog.roots]
        connection = other.connect()  # type: ignore[attr-defined]
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE public.calls IN ACCESS EXCLUSIVE MODE")
        found = live.counts(names, 5.0)
        connection.close()
        assert TableName("public", "calls") not in found
        assert found[TableName("public", "crews")] == 24
        assert live.counts(names, 5.0)[TableName("public", "calls")] == 900


def test_tables_that_inherit_count_for_themselves(incident: Incident) -> None:
    before = """
    CREATE TABLE docks (id int PRIMARY KEY);
    CREATE TABLE dry_docks (deep int) INHERITS (docks);
    INSERT INTO docks SELECT i FROM generate_series(1, 9) i;
    INSERT INTO dry_docks SELECT i, i FROM generate_series(10, 14) i;
    CREATE TABLE tides (at date, m int) PARTITION BY RANGE (at);
    CREATE TABLE tides_26 PARTITION OF tides FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO tides SELECT '2026-01-01'::date + i, i FROM generate_series(0, 19) i;
    """
    incident.happens(before, "DELETE FROM ONLY docks WHERE id < 3; DELETE FROM tides WHERE m = 0")
    heard = Heard()
    with incident.compare(listener=heard):
        pass
    assert heard.known[0] == ("Row counts differ: docks 9 → 7 (2 fewer), tides 20 → 19 (1 fewer).")


# --- a backup that takes long to be looked through ------------------------------------------------


class HeardAll(Heard):
    """Keeps each thing that it was told before rows were compared."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[list[str]] = []

    def knows(self, sentences: Sequence[str]) -> None:
        super().knows(sentences)
        self.told.append(list(sentences))


@pytest.mark.parametrize("pack", ["gzip", "zstd", None])
def test_a_long_stream_says_what_its_beginning_says(
    pack: str | None, incident: Incident, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """While it is unpacked; then all of it is said, as ever."""
    incident.happens(BEFORE, CHANGE)
    plain = incident.backup.read_bytes()
    packed = {"gzip": gzip.compress, "zstd": zstandard.compress, None: bytes}[pack](plain)
    dump = tmp_path / "long.sql.packed"
    dump.write_bytes(packed)
    heard = HeardAll()
    monkeypatch.setattr(early, "_PATIENCE", 0)
    monkeypatch.setattr(head, "_LONG_PACKED", 10)
    monkeypatch.setattr(head, "_LONG", 10)
    monkeypatch.setattr(opening, "_SHORT", 10)
    open_dump = dumps.open_dump

    def slowly(*given: object) -> object:
        until = time.monotonic() + 20
        while not heard.told and time.monotonic() < until:
            time.sleep(0.02)
        return open_dump(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(dumps, "open_dump", slowly)
    options = fx.Options(not_tables=("berths",))
    with fx.compare(dump, incident.live_dsn, tmp_path / "c", listener=heard, options=options):
        pass
    first, then = heard.told
    assert first == [
        "1 table is gone: ships (not counted yet).",
        "1 column is gone: crews.ship.",
        "Rows are counted when long.sql.packed has been looked through.",
    ]
    assert then[0] == "1 table is gone: ships (300 rows)."


def test_what_its_beginning_says_is_not_said_late(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where the backup cannot be opened: then that alone is said."""
    incident.happens(BEFORE, CHANGE)
    monkeypatch.setattr(head, "_LONG", 10)
    heard = HeardAll()
    with incident.compare(listener=heard):
        pass
    assert len(heard.told) == 1
    (incident.backup.parent / "cut.sql").write_bytes(b"x" * 100)
    heard = HeardAll()
    monkeypatch.setattr(early, "_PATIENCE", 0)
    with pytest.raises(BackupError):
        fx.compare(
            incident.backup.parent / "cut.sql",
            incident.live_dsn,
            incident.backup.parent / "none",
            listener=heard,
        )
    assert heard.told == []
