"""The first screen: what is asked is answered, and numbers side by side add up."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import ReportError
from forensics.model import TableName
from forensics.report import html, markdown
from forensics.report.actions import actions
from forensics.report.brief import answers, as_of, headline
from forensics.report.document import Document
from forensics.report.gathering import gather
from forensics.report.impact import hits, words
from forensics.report.parts import parts
from forensics.scratch import Scratch
from tests.conftest import Incident

SCHEMA = """
CREATE TABLE songs (id int PRIMARY KEY, title text NOT NULL);
CREATE TABLE moods (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE song_moods (song_id int REFERENCES songs, mood_id int REFERENCES moods,
    PRIMARY KEY (song_id, mood_id));
CREATE TABLE plays (id int PRIMARY KEY, song_id int REFERENCES songs);
INSERT INTO songs SELECT i, 'Song ' || i FROM generate_series(1, 9) i;
INSERT INTO moods SELECT i, 'Mood ' || i FROM generate_series(1, 3) i;
INSERT INTO song_moods SELECT s.id, m.id FROM songs s, moods m;
INSERT INTO plays SELECT i, 1 + i % 9 FROM generate_series(1, 40) i;
"""


def told(d: Document) -> dict[str, str]:
    return {answer.question: " ".join(answer.said) for answer in answers(d)}


@pytest.fixture(scope="module")
def planned(investigated: Path) -> Document:
    """The sample after cause and recovery, not rehearsed."""
    with fx.open_case(investigated) as case:
        return gather(case)


def test_every_question_has_an_answer(planned: Document) -> None:
    said = told(planned)
    assert list(said) == [
        "How bad is it?",
        "Is it over?",
        "What comes back?",
        "What caused it?",
        "What do we recommend?",
        "What is needed from you?",
    ]
    assert "does not run again here" in said["Is it over?"]
    assert "130 other rows" in said["Is it over?"]
    assert "54,863 of 55,434 missing rows" in said["What comes back?"]
    assert "dropped 9 tables and so took 55,254 rows" in said["What caused it?"]
    assert "other statements of it took 50 rows and 913 values" in said["What caused it?"]
    assert "2 January 2026, 10:40 UTC" in said["What caused it?"]
    assert 'DROP TABLE "hotel_images"' in said["What caused it?"]
    assert "not been rehearsed" in said["What do we recommend?"]
    assert "--rehearse" in said["What is needed from you?"]
    assert "1 January 2026, 03:00 UTC" in as_of(planned)
    assert "not been proven" in headline(planned)


def test_what_is_rehearsed_asks_for_a_decision(planned: Document) -> None:
    recovery = dict(planned.recovery or {})
    recovery["options"] = [{**o, "verified": True, "seconds": 1.1} for o in recovery["options"]]
    found = replace(planned, recovery=recovery)
    assert headline(found) == "55,434 rows are missing from live; 54,863 of them can come back."
    assert "A decision: whether `recovery.sql` runs" in told(found)["What is needed from you?"]
    price = told(found)["What do we recommend?"]
    assert "nothing of live is lost" in price
    assert "about 1 second (rehearsed)" in price


def test_parts_add_up_with_a_plan_and_without(planned: Document, sample: fx.Case) -> None:
    for found in (planned, gather(sample)):
        assert len(parts(found)) >= 3
        assert sum(part.rows for part in parts(found)) == 55_434


def test_parts_that_do_not_add_up_are_not_shown(planned: Document) -> None:
    recovery = dict(planned.recovery or {})
    recovery["options"] = [{**o, "recovers": 60_000} for o in recovery["options"]]
    assert all(p.rows < 55_434 for p in parts(replace(planned, recovery=recovery)))
    recovery["options"] = [{**o, "recovers": None} for o in recovery["options"]]
    found = replace(planned, recovery=recovery)
    assert "not worked out" in headline(found)
    assert "could not count" in told(found)["What comes back?"]


def test_a_case_without_cause_and_plan_says_so(nasty: fx.Case, incident: Incident) -> None:
    incident.happens(SCHEMA, "DELETE FROM song_moods WHERE song_id < 4")
    with incident.compare() as case:
        found = gather(case)
    said = told(found)
    assert "Not known" in said["Is it over?"]
    assert said["What caused it?"] == "Not worked out yet."
    assert "forensics cause" in said["What is needed from you?"]
    assert "9 of 9 lost links can be put back" in said["What comes back?"]
    assert "9 rows are missing from live" in headline(found)
    # A table that failed outweighs: the number is a bound.
    assert headline(gather(nasty)).startswith("At least")


def test_impact_is_told_in_the_words_of_the_product(incident: Incident) -> None:
    incident.happens(SCHEMA, "DELETE FROM song_moods WHERE song_id < 3; DELETE FROM plays")
    with incident.compare() as case:
        found = gather(case)
        page = html.render(found)
        shown = html.render(gather(case, mask=False))
    hit = hits(found)[0]
    assert hit.who == "2 of 9 songs"
    assert "lost links to moods" in hit.lost
    assert "2 have none left" in hit.lost
    assert "plays (40)" in page
    assert "<code>report --show songs.title</code> shows them" in page
    assert "Song 1" not in page
    assert "Song 1" in shown
    assert "--show songs.title" not in shown


def test_table_names_are_words() -> None:
    for name, said in {
        "hotel_rooms": "hotel rooms",
        "HotelRoom": "hotel room",
        "odd name": "odd name",
    }.items():
        assert words(TableName("public", name)).strip('"') == said


def test_the_good_case_is_one_page_to_sign(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    name = database("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    dump = scratch.dump(name, tmp_path / "t.sql")
    with fx.compare(dump, scratch.dsn(name), tmp_path / "case") as case:
        found = gather(case)
    page = html.render(found)
    assert headline(found) == "Nothing is missing: every row of the backup is in live."
    assert '<body class="signed">' in page
    assert "signature" in page
    assert "2 rows" in page
    assert str(found.facts[0].backup) in page
    said = told(found)
    assert "Is it over?" not in said
    assert said["What do we recommend?"] == "Nothing needs to be done."
    assert [action.kind for action in actions(found)] == ["name"]


def test_contents_lead_to_what_is_there(planned: Document) -> None:
    page = html.render(planned)
    targets = set(re.findall(r'href="#([\w-]+)"', page))
    assert {"impact", "story", "wayout", "actions", "cause", "recovery"} <= targets
    for target in targets:
        assert f'id="{target}"' in page, target
    # What people read stands before the evidence, which is folded.
    assert page.index('id="wayout"') < page.index('id="evidence"') < page.index('id="loss"')
    assert '<details class="part" id="loss">' in page


def test_a_way_that_does_nothing_is_not_shown(planned: Document) -> None:
    recovery = dict(planned.recovery or {})
    nought = {"recovers": 0, "destroys": 0, "blocked": 0}
    options = []
    for option in recovery["options"]:
        options.append({**option, **nought} if option["name"] == "backfill" else option)
    found = replace(planned, recovery={**recovery, "options": options})
    for page in (html.render(found), markdown.render(found)):
        assert "roll back" in page
        assert ">backfill<" not in page
        assert "| backfill |" not in page


def test_sections_alone(investigated: Path, tmp_path: Path) -> None:
    with fx.open_case(investigated) as case:
        said = case.report(tmp_path / "a.md", sections=["actions"]).read_text()
        page = case.report(tmp_path / "a.html", sections=["actions", "cause"]).read_text()
        with pytest.raises(ReportError, match="actions, numbers, loss"):
            case.report(tmp_path / "b.md", sections=["deeds"])
        with pytest.raises(ReportError, match=r"\.md or \.html"):
            case.report(tmp_path / "b.xlsx", sections=["actions"])
    assert "| owner | date |" in said
    assert "Loss by table" not in said
    assert "130 rows of" in said
    assert "`external_catalog_items.updated_at` come back" in said
    assert '<details class="part" id="cause" open>' in page
    assert "Evidence" not in page


def test_the_cause_is_one_sentence_whatever_it_was(planned: Document) -> None:
    entry = {
        "migration": "7_tidy",
        "line": 3,
        "sql": "DELETE FROM songs WHERE id = 1",
        "hazard": "delete-cascades",
        "schema": "public",
        "table": "songs",
        "column": None,
        "rows": 1,
        "changed": 0,
        "blanked": 0,
    }
    cascaded = {**entry, "table": "plays", "rows": 40}
    entry["hazard"] = "delete-where"
    written = {**entry, "hazard": "update-all", "rows": 0, "changed": 9, "line": 4}
    cause = {**(planned.cause or {}), "statements": [cascaded, entry, written], "migrations": []}
    found = replace(planned, cause=cause)
    assert told(found)["What caused it?"] == (
        "`7_tidy` deleted rows of 2 tables and so took 41 rows; other statements of it "
        "overwrote 9 values. The worst: `DELETE FROM songs WHERE id = 1` (line 3)."
    )
    page = html.render(found)
    assert "took 40 rows of plays" in page
    assert "took 1 row<" in page


def test_what_is_masked_is_not_shown_as_a_name(planned: Document) -> None:
    """A first letter and a length tell nobody whose row that is: the key does, and how to see."""
    page, text = html.render(planned), markdown.render(planned)
    in_page = page.split('id="impact"')[1].split('id="story"')[0]
    in_text = text.split("## What it means")[1].split("## How it happened")[0]
    for means in (in_page, in_text):
        assert "Worst hit" in means
        assert "•••" not in means
        assert "--show hotels.name --show" in means
