"""An incident in every form of backup, and all that a case says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

import forensics as fx
from forensics.scratch import Scratch

BEFORE = """
CREATE TABLE visits (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, fee numeric);
INSERT INTO visits
SELECT i, '2026-01-01'::timestamptz + i * interval '1 min', repeat('w', i % 60) || E'\\t' || i, i
  FROM generate_series(1, 9000) i;
CREATE TABLE badges (floor int, code text);
INSERT INTO badges SELECT i % 7, 'b' || i % 90 FROM generate_series(1, 3000) i;
CREATE TABLE letters (id int PRIMARY KEY, body text);
INSERT INTO letters SELECT i, repeat(md5(i::text), 6000) FROM generate_series(1, 4) i;
CREATE TABLE rooms (id int PRIMARY KEY, wing text, beds int, colour text);
INSERT INTO rooms SELECT i, 'w' || i % 3, i % 4, 'c' || i FROM generate_series(1, 400) i;
CREATE TABLE shifts (id int, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE shifts_a PARTITION OF shifts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE shifts_b PARTITION OF shifts FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO shifts SELECT i, '2026-01-01'::date + i % 59, 'n' FROM generate_series(1, 1000) i;
CREATE TABLE closed (id int PRIMARY KEY); INSERT INTO closed SELECT generate_series(1, 9);
CREATE TABLE quiet (id int PRIMARY KEY, v text); INSERT INTO quiet VALUES (1, 'a'), (2, 'b');
CREATE TABLE wiped (id int PRIMARY KEY, v text);
INSERT INTO wiped SELECT i, 'v' || i FROM generate_series(1, 2000) i;
"""
CHANGE = """
DELETE FROM visits WHERE id BETWEEN 4000 AND 4200 OR id % 500 = 0;
UPDATE visits SET who = 'nobody' WHERE id % 777 = 0;
INSERT INTO visits VALUES (99999, now(), 'late', 1.50);
DELETE FROM badges WHERE ctid IN (SELECT ctid FROM badges WHERE code = 'b5' LIMIT 3);
INSERT INTO badges VALUES (1, 'b1'), (1, 'new');
UPDATE letters SET body = body || 'x' WHERE id = 2; DELETE FROM letters WHERE id = 3;
ALTER TABLE rooms DROP COLUMN colour; ALTER TABLE rooms ALTER beds TYPE numeric(6, 1);
UPDATE rooms SET wing = 'gone' WHERE id = 7; DELETE FROM rooms WHERE id > 390;
DELETE FROM shifts WHERE day = '2026-02-03';
DROP TABLE closed; DELETE FROM wiped;
CREATE TABLE opened (id int); INSERT INTO opened VALUES (1);
"""
FORMS = {
    "plain": (),
    "inserts": ("--inserts",),
    "custom": ("-Fc",),
    "directory": ("-Fd",),
    "tar": ("-Ft",),
}


class World:
    """A database as it was, dumped in each form, and as it is."""

    def __init__(self, scratch: Scratch, folder: Path) -> None:
        self.scratch = scratch
        scratch.create("before_spark")
        scratch.run("before_spark", BEFORE)
        self.dumps = {}
        for form, options in FORMS.items():
            self.dumps[form] = folder / f"backup-{form}"
            scratch.dump("before_spark", self.dumps[form], *options)
        scratch.create("after_spark", "before_spark")
        scratch.run("after_spark", CHANGE)
        self.before, self.live = scratch.dsn("before_spark"), scratch.dsn("after_spark")


def answer(case: fx.Case) -> dict[str, Any]:
    """All that a case says, but for times, and where it is."""
    with case:
        numbers = {str(r.name): case.store.number(r.name) for r in case.results}
    found: dict[str, Any] = json.loads((Path(case.folder) / "summary.json").read_text("utf-8"))
    found["rows"] = {}
    with duckdb.connect(str(Path(case.folder) / "case.duckdb"), read_only=True) as db:
        listed = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'rows'"
        there = {name for (name,) in db.execute(listed).fetchall()}
        for table, number in numbers.items():
            for side in ("backup", "live"):
                if f"{side}_{number}" in there:
                    held = db.execute(f"SELECT * FROM rows.{side}_{number}").fetchall()
                    # The names of long values hang on a key of the case.
                    texts = [re.sub("values/[0-9a-f]+", "values/", str(row)) for row in held]
                    found["rows"][table, side] = sorted(texts)
    found.pop("live")
    return found


def compared(
    backup: object, live: str | list[str], folder: Path, master: str | None = None, **wishes: Any
) -> dict[str, Any]:
    """What one of the engines answers."""
    engine = "spark" if master else "duckdb"
    options = fx.Options(engine=engine, master=master, **wishes)
    return answer(fx.compare(str(backup), live, folder / engine, options=options))


Expected = Callable[[str], dict[str, Any]]
