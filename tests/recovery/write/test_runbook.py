"""The runbook's checks fail where nothing was recovered, and it knows a live that goes on."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.recovery.conftest import Incident

PROJECTS = """
CREATE TABLE projects (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO projects SELECT i, 'p' || i FROM generate_series(1, 50) i;
"""


def test_checks_and_a_busy_live(incident: Callable[..., Incident]) -> None:
    one = incident(PROJECTS, "DELETE FROM projects WHERE id <= 8")
    one.plan(include_unexplained=True)
    page = (one.out / "runbook.md").read_text()
    checks = re.findall(r'(SELECT count.*? AS "at least (\d+)" FROM .*?;)', page)
    assert len(checks) == 1
    ((question, least),) = checks
    assert int(least) == 50
    plain = question.replace(f' AS "at least {least}"', "")
    assert int(one.sql(plain)) < int(least)

    one.sql("INSERT INTO projects VALUES (3, 'taken since'), (90, 'new')")
    assert "1 of the 8 rows" in one.refuses("recovery.sql")
    assert "-v accept_changes=on -f recovery.sql" in page
    said = one.run("recovery.sql", "-v", "accept_changes=on")
    assert "another row stands under its key by now" in said
    assert int(one.sql(plain)) >= int(least)
    assert one.sql("SELECT name FROM projects WHERE id = 3") == "taken since"


MIXED = """
CREATE TABLE "Odd Names" (a int, "B c" text, v text, PRIMARY KEY (a, "B c"));
INSERT INTO "Odd Names" SELECT i, 'k' || i, 'v' FROM generate_series(1, 20) i;
CREATE TABLE notes (n int);
INSERT INTO notes SELECT i % 4 FROM generate_series(1, 12) i;
CREATE TABLE kept (id int PRIMARY KEY);
INSERT INTO kept SELECT generate_series(1, 9);
"""


def test_the_very_rows_are_looked_for_by_their_keys(incident: Callable[..., Incident]) -> None:
    change = 'DROP TABLE "Odd Names"; DELETE FROM notes WHERE n = 3; DELETE FROM kept WHERE id < 4'
    one = incident(MIXED, change)
    one.plan(include_unexplained=True)
    was = one.state()
    assert _checked(one) == {"Odd Names": (20, 0), "public.kept": (3, 0), "public.notes": (3, 0)}
    one.run("recovery.sql")
    assert _checked(one) == {"Odd Names": (20, 20), "public.kept": (3, 3), "public.notes": (3, 3)}
    one.sql('DELETE FROM "Odd Names" WHERE a = 7; INSERT INTO "Odd Names" VALUES (70, \'k7\')')
    assert _checked(one)["Odd Names"] == (20, 19)
    one.sql(
        "DELETE FROM \"Odd Names\" WHERE a = 70; INSERT INTO \"Odd Names\" VALUES (7, 'k7', 'v')"
    )
    one.run("undo.sql")
    assert one.state() == was
    assert "check.sql" in (one.out / "runbook.md").read_text()


def _checked(one: Incident) -> dict[str, tuple[int, int]]:
    """What check.sql says: by table, how many rows come back and are there."""
    found = {}
    for line in one.run("check.sql", "-A", "-t").splitlines():
        table, back, there, lacking = line.split("|")
        assert int(lacking) == int(back) - int(there)
        found[table.replace('public."Odd Names"', "Odd Names")] = (int(back), int(there))
    return found


def test_with_nothing_to_bring_back_it_says_so(incident: Callable[..., Incident]) -> None:
    one = incident(PROJECTS, "INSERT INTO projects VALUES (99, 'new')")
    one.plan(include_unexplained=True)
    page = (one.out / "runbook.md").read_text()
    assert page.startswith("# Runbook: nothing to bring back\n")
    assert "ring the rows back" not in page and "pg_dump" not in page
    assert "## Nothing to bring back" in page and "## What stays" in page
    assert "There are no rows to bring back." in one.run("recovery.sql")
