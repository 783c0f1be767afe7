"""What the accident itself wrote is no price of a full restore."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.recovery.choose.options import Option
from forensics.recovery.plan import Plan
from tests.recovery.conftest import Incident

Build = Callable[..., Incident]

SEATS = """
CREATE TABLE seats (id int PRIMARY KEY, class text NOT NULL, note text, updated_at timestamptz
  DEFAULT '2026-01-01');
INSERT INTO seats SELECT i, (ARRAY['first', 'second', 'sleeper'])[1 + i % 3], 'seat ' || i
  FROM generate_series(1, 60) i;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON seats FOR EACH ROW EXECUTE FUNCTION touch();
"""
HARM = "UPDATE seats SET class = 'second';"
# 40 rows held another class. Of these three have another note, and two another class again.
LIFE = """
UPDATE seats SET note = 'window' WHERE id IN (1, 4, 7);
UPDATE seats SET class = 'crew' WHERE id IN (2, 5);
INSERT INTO seats VALUES (61, 'first', 'new');
"""


def _restore(plan: Plan) -> Option:
    return next(option for option in plan.options if option.name == "full restore")


def _cause(found: Incident, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "migrations" / "001_classes"
    folder.mkdir(parents=True)
    (folder / "migration.sql").write_text(text)
    found.case.cause(tmp_path / "migrations", ran=["001*"])


def test_what_a_statement_is_known_to_have_written_is_no_price(
    incident: Build, tmp_path: Path
) -> None:
    found = incident(SEATS, HARM + LIFE)
    before = _restore(found.plan())
    assert "cause has not run" in " ".join(before.caveats)
    assert before.destroys == 61
    _cause(found, tmp_path, HARM)
    plan = found.plan(every=True)
    one = _restore(plan)
    assert plan.holds, plan.problems
    # The statement's own are those of which nothing else changed: 40 held another class, and of
    # these three got another note or another class again. What was only touched is counted.
    assert found.sql("SELECT count(*) FROM seats WHERE class <> 'second'", found.before) == "40"
    own = {n for n in range(1, 61) if n % 3 != 1} - {2, 5}
    assert one.destroys == 61 - len(own)
    assert one.verified
    for share in one.destroyed:
        for example in share.examples:
            assert int(example["id"] or 0) not in own


@pytest.mark.parametrize("text", ["UPDATE seats SET note = note;", "SELECT 1;"])
def test_what_no_statement_is_known_to_have_written_is_counted(
    incident: Build, tmp_path: Path, text: str
) -> None:
    found = incident(SEATS.replace("CREATE TRIGGER", "-- "), HARM)
    _cause(found, tmp_path, text)
    one = _restore(found.plan())
    assert one.destroys == 40
    assert "seats.class" in " ".join(one.caveats)


# --- rows that the migration inserted -------------------------------------------------------------

SHOP = """
CREATE TABLE kind (id serial PRIMARY KEY, label text UNIQUE, made timestamptz DEFAULT now());
CREATE TABLE item (id serial PRIMARY KEY, kind_id int REFERENCES kind, title text);
CREATE TABLE old_item (id int PRIMARY KEY, title text);
INSERT INTO kind (label) SELECT 'kind ' || i FROM generate_series(1, 3) i;
INSERT INTO item (kind_id, title) SELECT 1 + i % 3, 'item ' || i FROM generate_series(1, 12) i;
INSERT INTO old_item SELECT i, 'old ' || i FROM generate_series(1, 7) i;
"""
MOVES = """
CREATE TABLE shelf (id serial PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now());
INSERT INTO shelf (name) VALUES ('left'), ('right'), ('');
INSERT INTO kind (label) VALUES ('new'), ('used');
INSERT INTO item (kind_id, title) SELECT 1, title FROM old_item;
DROP TABLE old_item;
"""
APPLICATION = """
INSERT INTO shelf (name) VALUES ('top'), ('left');
INSERT INTO kind (label) VALUES ('rare');
INSERT INTO item (kind_id, title) VALUES (2, 'by hand'), (1, 'old 3');
"""


def test_rows_that_the_migration_inserted_are_no_price(incident: Build, tmp_path: Path) -> None:
    found = incident(SHOP, MOVES + APPLICATION)
    _cause(found, tmp_path, MOVES)
    plan = found.plan(every=True)
    assert plan.holds, plan.problems
    restore, back = plan.options[:2]
    # The application's own: two shelves, a kind, and two items, one of them like a moved one.
    assert (restore.destroys, restore.verified) == (5, True)
    assert {str(share.name): share.rows for share in restore.destroyed} == {
        "item": 2,
        "kind": 1,
        "shelf": 2,
    }
    assert (back.name, back.destroys) == ("roll back", 2)
    assert back.verified
