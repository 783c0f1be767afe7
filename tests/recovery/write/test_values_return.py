"""Whatever overwrote values: those that nobody touched since are back, and no other is changed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.recovery.conftest import Incident

Build = Callable[..., Incident]

TABLE = """
CREATE TABLE {name} (id int PRIMARY KEY, label text, "Size" numeric, born date, open boolean,
  extra jsonb, other text, updated_at timestamptz DEFAULT '2026-01-01');
INSERT INTO {name} SELECT i, 'Label ' || i * 7, i * 1.25, date '2020-01-01' + i, i % 3 = 0,
  jsonb_build_object('n', i, 'tags', jsonb_build_array(i % 4)), 'other ' || i % 9
  FROM generate_series(1, {rows}) i;
"""
# What is done to a column, and what the application does to some rows of it later.
HARMS = {
    "label": ("upper(label)", "NULL", "''", "other", "'n/a'", "left(label, 3)"),
    '"Size"': ("0", "NULL", 'round("Size")', "99.5"),
    "born": ("NULL", "date '1970-01-01'"),
    "extra": ("'{}'", "NULL", "extra - 'tags'"),
    "other": ("label", "NULL", "'same for all'"),
}
LATER = {
    "label": "'by hand'",
    '"Size"': "12.75",
    "born": "date '2026-11-01'",
    "extra": """'{"by": "hand"}'""",
    "other": "'by hand'",
}


@pytest.mark.parametrize("seed", range(5))
def test_all_that_nobody_touched_is_back(incident: Build, seed: int) -> None:
    random = Random(seed)
    name, rows = random.choice(("parcels", '"Odd Ones"')), random.randint(25, 80)
    columns = random.sample(list(HARMS), random.randint(1, 2))
    if "label" in columns and "other" in columns:
        columns.remove("other")  # each may be copied from the other
    harm = [f"{column} = {random.choice(HARMS[column])}" for column in columns]
    touched = random.sample(range(1, rows + 1), random.randint(0, 5))
    moment = random.choice(("before", "after"))
    before = TABLE.format(name=name, rows=rows)
    later = []
    for column in columns:
        for key in touched:
            later.append(f"UPDATE {name} SET {column} = {LATER[column]} WHERE id = {key}")
    change = [f"UPDATE {name} SET {', '.join(harm)}, updated_at = now()"]
    found = incident(before, "; ".join([*change, *later] if moment == "before" else change))
    plan = found.plan(rehearse=True)
    assert plan.holds, plan.problems
    assert plan.options[-1].recovers, (harm, plan.recommendation)
    if moment == "after":
        for statement in later:
            found.sql(statement)
    was = found.state()
    found.run("recovery.sql")
    for column in columns:
        ask = f"SELECT id, {column}::text FROM {name} ORDER BY id"
        now, then = found.sql(ask).splitlines(), found.sql(ask, found.before).splitlines()
        differing = {int(line.split("|")[0]) for line in set(now) - set(then)}
        assert differing == set(touched), (column, harm)
    held = f"SELECT count(*) FROM {name} WHERE id IN ({', '.join(map(str, touched)) or 'NULL'})"
    for column in columns:
        assert found.sql(f"{held} AND {column} = {LATER[column]}") == str(len(touched))
    found.run("undo.sql")
    assert found.state() == was
