"""A plan that was made and never tried: its numbers are told, and that nobody tried it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.report.gathering import gather
from forensics.report.slides import slides
from tests.conftest import Incident
from tests.report.test_forms import cells

SCHOOL = """
CREATE TABLE pupils (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE clubs (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE club_pupils (club_id int REFERENCES clubs, pupil_id int REFERENCES pupils,
    PRIMARY KEY (club_id, pupil_id));
CREATE TABLE marks (id int PRIMARY KEY, pupil_id int REFERENCES pupils, mark int);
INSERT INTO pupils SELECT i, 'Pupil ' || i FROM generate_series(1, 20) i;
INSERT INTO clubs SELECT i, 'Club ' || i FROM generate_series(1, 5) i;
INSERT INTO club_pupils SELECT c, p FROM generate_series(1, 5) c, generate_series(1, 20) p;
INSERT INTO marks SELECT i, 1 + i % 20, i % 6 FROM generate_series(1, 60) i;
"""
DROP = "DROP TABLE club_pupils"
SINCE = f"{DROP}; DELETE FROM marks WHERE id < 4; INSERT INTO marks VALUES (100, 3, 1), (101, 4, 2)"
PLAIN = "Not rehearsed: these are the plan’s numbers, and nobody tried it on a copy yet."


@pytest.fixture
def case(incident: Incident, tmp_path: Path) -> Iterator[fx.Case]:
    """After compare, cause, and `recover` without `--rehearse`."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "V7__clubs.sql").write_text(DROP)
    incident.happens(SCHOOL, SINCE)
    with incident.compare("case") as found:
        found.cause(tmp_path / "migrations", ran=["V7*"])
        found.recovery.write(tmp_path / "out")
        yield found


def test_every_form_has_the_plan_and_says_so(case: fx.Case, tmp_path: Path) -> None:
    page = case.report(tmp_path / "r.html").read_text()
    assert "100 can come back, which has not been proven yet" in page
    assert "Price by the plan: nothing of live is lost. It has not been rehearsed." in page
    assert page.count(PLAIN) == 3  # the way out, recovery and runbook
    assert "what the rehearsal proved" not in page
    assert '<td class="num">100</td>' in page  # reinserted
    assert '<td class="num bad">2</td>' in page  # what a full restore would destroy
    text = case.report(tmp_path / "r.md").read_text()
    assert text.count("Not rehearsed: these are the plan’s numbers") == 3
    assert "## Runbook" in text
    assert "This was not rehearsed: run recover with" in text
    sheet = cells(case.report(tmp_path / "r.xlsx"))["recovery"]
    assert any(PLAIN in cell for row in sheet for cell in row)
    told = json.loads(case.report(tmp_path / "r.json").read_text())
    assert told["recovery"]["rehearsal"] is None
    assert told["recovery"]["options"]


def test_slides_and_actions(case: fx.Case, tmp_path: Path) -> None:
    page = case.report(tmp_path / "s.html", slides=True).read_text()
    assert PLAIN in page
    [way] = [slide for slide in slides(gather(case)) if "its price" in slide.title]
    assert PLAIN in way.said
    assert ("reinsert lost rows", "100", "0", "0", "no") in way.rows
    todo = case.report(tmp_path / "a.md", sections=("actions",)).read_text()
    assert "Have the recovery rehearsed until it holds" in todo
    assert "Whether recovery.sql runs" not in todo


def test_a_rehearsal_is_not_replaced_by_less(
    case: fx.Case, incident: Incident, tmp_path: Path
) -> None:
    case.recovery.rehearse(tmp_path / "out", live=incident.live_dsn)
    with fx.open_case(case.folder) as again:
        again.recovery.write(tmp_path / "other")
        assert gather(again).unrehearsed == ""
        # Another choice of rows is another plan.
        again.recovery(tables=["marks"], include_unexplained=True).write(tmp_path / "other")
        assert gather(again).unrehearsed == PLAIN


def test_a_plan_of_another_cause_is_dropped(case: fx.Case, tmp_path: Path) -> None:
    (tmp_path / "migrations" / "V8__marks.sql").write_text("DELETE FROM marks WHERE id < 4")
    case.cause(tmp_path / "migrations", ran=["V7*"])
    assert gather(case).recovery is not None
    case.cause(tmp_path / "migrations", ran=["V7*", "V8*"])
    assert gather(case).recovery is None
