"""Rows of a dump that have an equal partner in live need no look; all others get one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.compare import rows
from forensics.evidence.archive import segments as of_archives
from forensics.evidence.plain import segments as of_plain
from tests.conftest import Incident

BEFORE = """
CREATE TABLE vats (id int, cellar text, litres numeric(8, 2), note text, PRIMARY KEY (cellar, id));
INSERT INTO vats SELECT i, 'cellar ' || i % 5, i, CASE WHEN i % 3 > 0 THEN 'né ' || i END
  FROM generate_series(1, 400) i;
"""
CHANGE = "DELETE FROM vats WHERE id IN (7, 8, 300); UPDATE vats SET litres = 0 WHERE id = 50"
OTHER_ORDER = """
CREATE TABLE v AS TABLE vats; TRUNCATE vats;
INSERT INTO vats SELECT * FROM v WHERE id > 3 ORDER BY md5(id::text); DROP TABLE v
"""


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """How often a table was compared, and whether only rows without a partner were looked at."""
    found = []
    compare = rows._compare

    def noting(*of: object, as_stored: bool, **how: object) -> rows.Found:
        found.append(as_stored)
        return compare(*of, as_stored=as_stored, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "_compare", noting)
    return found


@pytest.fixture
def no_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing of a dump read in the way that looks at each row."""

    def refuse(self: object) -> None:
        raise AssertionError("rows were looked at that have a partner")

    monkeypatch.setattr(of_plain.CopySegment, "blocks", refuse)
    monkeypatch.setattr(of_archives.CopySegment, "blocks", refuse)


FORMS = {"plain": (), "custom": ("-Fc",), "stored": ("-Fc", "-Z0"), "tar": ("-Ft",)}


@pytest.mark.parametrize("change", [CHANGE, OTHER_ORDER])
@pytest.mark.parametrize("form", FORMS)
def test_the_counts_are_right(
    incident: Incident, one_by_one: None, no_judge: None, form: str, change: str
) -> None:
    incident.happens(BEFORE, change, *FORMS[form])
    with incident.compare() as case:
        incident.check(case)


def torn(text: str) -> str:
    return text.replace("\n9\tcellar 4\t", "\n9\tcellar\n 4\t")


def ran_together(text: str) -> str:
    return text.replace("\n9\tcellar 4\t", "\t9\tcellar 4\t")


def lacks_a_field(text: str) -> str:
    return text.replace("\n9\tcellar 4\t", "\n9\t")


def no_text(text: str) -> str:
    return text.replace("\n10\tcellar 0\t10.00\tné", "\n10\tcellar 0\t10.00\tn\udce9")


FLAWS = (torn, ran_together, lacks_a_field, no_text)


@pytest.mark.parametrize("change", ["SELECT 1", CHANGE, OTHER_ORDER])
@pytest.mark.parametrize("flaw", FLAWS)
def test_a_row_that_is_none_fails_the_table_as_before(
    incident: Incident,
    one_by_one: None,
    looks: list[bool],
    flaw: Callable[[str], str],
    change: str,
) -> None:
    incident.happens(BEFORE, change)
    text = incident.backup.read_text()
    assert flaw(text) != text
    incident.backup.write_bytes(flaw(text).encode("utf-8", "surrogateescape"))
    with incident.compare() as case:
        result = case.result("vats")
        assert result.state == "failed"
        assert "is damaged within the rows of table vats" in (result.reason or "")
        assert "rows that could be read" in (result.reason or "")
    assert looks[:2] == [True, False]


def test_escapes_of_people_are_the_same_values(
    incident: Incident, one_by_one: None, looks: list[bool]
) -> None:
    incident.happens(BEFORE, CHANGE)
    text = incident.backup.read_text()
    assert "\n10\tcellar 0\t" in text
    incident.backup.write_text(text.replace("\n10\tcellar 0\t", "\n10\t\\143ellar 0\t"))
    with incident.compare() as case:
        incident.check(case)
    assert looks == [True, False]


def test_a_row_longer_than_is_allowed(incident: Incident, tmp_path: Path) -> None:
    before = BEFORE + "INSERT INTO vats VALUES (900, 'deep', 1, repeat('x', 3000000))"
    incident.happens(before, CHANGE)
    with incident.compare() as case:
        incident.check(case)
