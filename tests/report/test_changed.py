"""Changed rows, before and after, in every form, and what the workbook holds besides."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import forensics as fx
from forensics.report import html, markdown
from forensics.report.changed import ROWS
from forensics.report.gathering import gather
from tests.conftest import Incident
from tests.report.test_forms import cells

SCHEMA = """
CREATE TABLE prices (id int PRIMARY KEY, amount int, note text, at date);
INSERT INTO prices SELECT i, i * 10, 'note ' || i, DATE '2026-01-01' + i
    FROM generate_series(1, 20) i;
"""
CHANGE = """
ALTER TABLE prices ALTER amount TYPE bigint;
UPDATE prices SET amount = amount + 5, at = at + 1 WHERE id BETWEEN 2 AND 12;
UPDATE prices SET note = NULL WHERE id = 15;
DELETE FROM prices WHERE id IN (9, 10);
"""


@pytest.fixture
def case(incident: Incident) -> fx.Case:
    incident.happens(SCHEMA, CHANGE)
    return incident.compare()


def test_before_and_after_stand_in_the_page(case: fx.Case) -> None:
    with case:
        document = gather(case, mask=False)
        page, text = html.render(document), markdown.render(document)
    (table,) = document.changed
    assert (table.rows, table.shown, table.more) == (10, 10, 0)
    assert [(c.key, c.column, c.before, c.after) for c in table.first(1).changes] == [
        ("2", "amount", "20", "25"),
        ("2", "at", "2026-01-03", "2026-01-04"),
    ]
    assert table.changes[-1].column == "note"
    assert (table.changes[-1].before, table.changes[-1].after) == ("note 15", None)
    few = table.first(ROWS)
    assert few.more == 10 - ROWS
    assert "| `2` | `amount` | 20 | 25 |" in text
    assert f"10 changed rows; {10 - ROWS} more than are here" in text
    assert f"10 changed rows, {ROWS} of them here" in page
    # A column of another type whose values are the same ones has not changed.
    assert not any(change.key == "15" and change.column == "amount" for change in table.changes)


def test_they_are_masked_and_told_apart_all_the_same(case: fx.Case) -> None:
    with case:
        (table,) = gather(case).changed
    assert {change.after for change in table.changes} == {"•••", None}
    assert table.first(2).shown == 2


def test_the_workbook_sorts_them_as_numbers(case: fx.Case, tmp_path: Path) -> None:
    with case:
        path = case.report(tmp_path / "r.xlsx", mask=False)
    found = cells(path)
    changed = found["changed rows"]
    assert changed[1] == ["prices", "2", "amount", "20", "25"]
    missing = found["prices"]
    assert missing[1][:3] == ["9", "90", "note 9"]
    with zipfile.ZipFile(path) as book:
        name = f"xl/worksheets/sheet{list(found).index('prices') + 1}.xml"
        sheet = book.read(name).decode()
    assert '<c r="A2" s="' in sheet
    assert 't="s"' not in sheet[sheet.index('r="A2"') : sheet.index('r="C2"')], "ids are numbers"
    assert 't="s"' not in sheet[sheet.index('r="D2"') : sheet.index('r="A3"')], "dates are dates"


def test_the_workbook_has_cause_and_recovery(investigated: Path, tmp_path: Path) -> None:
    with fx.open_case(investigated) as case:
        found = cells(case.report(tmp_path / "r.xlsx"))
    assert list(found)[:2] == ["verdict", "actions"]
    assert found["cause"][1][1:3] == ["148", 'DROP TABLE "hotel_images"']
    assert found["cause"][1][5] == "23486"
    ways = {row[0]: row[1] for row in found["recovery"][1:] if len(row) > 1}
    assert ways["reinsert lost rows"] == "54863"
    assert sum(int(row[1]) for row in found["unexplained"][1:]) == 130
    assert any("live holds them elsewhere" in row[2] for row in found["stays"][1:])
    assert found["actions"][0] == ["what", "owner", "date", "done"]
