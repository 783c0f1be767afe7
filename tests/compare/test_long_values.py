"""Values that are longer than the engine may hold: compared, kept, written again, never shown."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import forensics as fx
from forensics.compare.options import Options
from forensics.recovery import Scope, Wishes, make_plan
from forensics.scratch import Scratch
from forensics.store.values import LONGEST, VALUES, is_mark
from tests.conftest import Incident

MEGABYTES = 2
MEMORY = Options(memory="60MB", max_row="40MB")
BEFORE = f"""
CREATE FUNCTION wide(i int) RETURNS text LANGUAGE sql IMMUTABLE
  AS $$ SELECT repeat('wide ' || i || E' \\t⟦row⟧\\n', {MEGABYTES} * 1000000 / 16) $$;
CREATE TABLE scan (id int PRIMARY KEY, page text, image bytea, about json, seen int);
INSERT INTO scan SELECT i, wide(i), decode(repeat('00ff', 250000), 'hex'), '{{}}', i
  FROM generate_series(1, 12) i;
INSERT INTO scan SELECT i, 'short ' || i, NULL, json_build_object('a', i), i
  FROM generate_series(13, 40) i;
CREATE TABLE paper (id int PRIMARY KEY, body text);
INSERT INTO paper SELECT i, wide(100 + i) FROM generate_series(1, 3) i;
CREATE TABLE letter (id int PRIMARY KEY, body jsonb, n int);
INSERT INTO letter SELECT i, jsonb_build_object('n', i, 'body', wide(i)), i
  FROM generate_series(1, 6) i;
CREATE TABLE copy (id int PRIMARY KEY, body text);
INSERT INTO copy SELECT i, wide(500 + i % 2) FROM generate_series(1, 4) i;
"""
CHANGE = """
UPDATE scan SET page = NULL, about = '{"gone": true}' WHERE id <= 30;
DELETE FROM scan WHERE id > 36;
DROP TABLE paper;
UPDATE letter SET body = body || '{"edited": true}' WHERE id < 4;
DELETE FROM letter WHERE id = 6;
UPDATE copy SET body = wide(500) WHERE id = 3;
"""
COUNTS = {
    "scan": (4, 0, 30, 6),
    "paper": (3, 0, 0, 0),
    "letter": (1, 0, 3, 2),
    "copy": (0, 0, 1, 3),
}


@pytest.fixture
def wide(incident: Incident) -> Incident:
    return incident.happens(BEFORE, CHANGE)


def test_rows_longer_than_the_engine_holds(wide: Incident, tmp_path: Path) -> None:
    case = wide.compare(options=MEMORY)
    for result in case.results:
        found = (result.missing, result.added, result.changed, result.unchanged)
        assert found == COUNTS[result.name.table], (result.name, result.reason)
    assert not case.store.get("unknown")
    said = {(e.name.table, e.column): e for e in case.store.overwritten() or ()}
    page = said["scan", "page"]
    assert (page.pattern, page.rows, page.destroyed) == ("blanked", 30, True)
    body = said["letter", "body"]
    assert (body.pattern, body.rows, body.destroyed) == ("mixed", 3, False)
    assert body.why == f"not known of 3 values longer than {LONGEST:,} bytes"
    # Each value once, and no file of one that live and backup both hold.
    values = list((tmp_path / "case" / VALUES).iterdir())
    assert len(values) == 12 + 1 + 3 + 3 + 3 + 1 + 2
    assert {path.stat().st_mode & 0o777 for path in values} == {0o600}
    page_before = case.store.rows(case.results[3].name, "backup", ("changed",)).column("page")
    assert is_mark(page_before[0].as_py())
    assert (tmp_path / "case" / "summary.json").stat().st_size < 20_000
    case.report(tmp_path / "report.html", mask=False)
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
    case.report(tmp_path / "report.zip", mask=False)
    with zipfile.ZipFile(tmp_path / "report.zip") as bundle:
        held = "".join(bundle.read(n).decode() for n in bundle.namelist() if "paper" in n)
    # What is evidence is whole, of all rows that are missing.
    assert held.count("wide 101 \t⟦row⟧\n") == MEGABYTES * 1000000 // 16


def test_they_come_back(wide: Incident, scratch: Scratch, tmp_path: Path) -> None:
    case = wide.compare(options=MEMORY)
    skip = ("full restore", "roll back")
    wishes = Wishes(wide.live_dsn, True, None, None, (), scratch, skip)
    plan = make_plan(case.store, tmp_path / "out", Scope(include_unexplained=True), wishes)
    assert plan.rehearsal is not None
    assert plan.rehearsal.lost_after == 0, plan.stays
    assert plan.rehearsal.undo_restores
    assert not plan.rehearsal.problems
    script = (tmp_path / "out" / "recovery.sql").read_bytes()
    scratch.run(wide.live, script)
    for asked in (
        "SELECT id, md5(page) FROM scan ORDER BY id",
        "SELECT id, md5(body) FROM paper ORDER BY id",
        "SELECT id, md5(body::text) FROM letter WHERE id > 3 ORDER BY id",
    ):
        assert scratch.run(wide.live, asked) == scratch.run(wide.before, asked)


def test_equal_ones_are_equal(wide: Incident, scratch: Scratch, tmp_path: Path) -> None:
    case = fx.compare(wide.backup, scratch.dsn(wide.before), tmp_path / "same", options=MEMORY)
    assert {(r.missing, r.added, r.changed) for r in case.results} == {(0, 0, 0)}
    assert not (tmp_path / "same" / VALUES).exists()
    assert json.loads((tmp_path / "same" / "summary.json").read_text())["complete"]
