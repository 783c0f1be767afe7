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
