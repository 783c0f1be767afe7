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
