"""One shop's rows, of three: what belongs to it returns, with what that needs, and nothing else."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import forensics as fx
from forensics.cli import app, register
from forensics.errors import ForensicsError, QueryError, UnknownTableError, UsageError
from forensics.recovery import Plan, Scope, Wishes, make_plan
from forensics.scratch import Scratch
from tests.recovery.conftest import Incident, adds_up

Build = Callable[..., Incident]

# Items stand on shelves of a shop (a key of two columns), and refer to a lookup that all share.
# Helpers link staff of two shops. Boxes and lids refer to each other. Remarks declare nothing.
SHOPS = """
CREATE TABLE currencies (code text PRIMARY KEY);
CREATE TABLE shops (id int PRIMARY KEY, name text NOT NULL, city text);
CREATE TABLE staff (id int PRIMARY KEY, shop_id int NOT NULL REFERENCES shops, name text);
CREATE TABLE shelves (shop_id int NOT NULL REFERENCES shops, no int NOT NULL, hall text,
  PRIMARY KEY (shop_id, no));
CREATE TABLE items (id int PRIMARY KEY, place int NOT NULL, shelf int NOT NULL,
  currency text REFERENCES currencies, FOREIGN KEY (place, shelf) REFERENCES shelves);
CREATE TABLE groups (id int PRIMARY KEY, shop_id int NOT NULL REFERENCES shops,
  parent_id int REFERENCES groups);
CREATE TABLE item_groups (item_id int REFERENCES items, group_id int REFERENCES groups,
  PRIMARY KEY (item_id, group_id));
CREATE TABLE helpers (one_id int REFERENCES staff, other_id int REFERENCES staff,
  PRIMARY KEY (one_id, other_id));
CREATE TABLE boxes (id int PRIMARY KEY, item_id int NOT NULL REFERENCES items, lid_id int);
CREATE TABLE lids (id int PRIMARY KEY, box_id int NOT NULL REFERENCES boxes
  DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE boxes ADD FOREIGN KEY (lid_id) REFERENCES lids DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE remarks (id int PRIMARY KEY, item_id int, body text);
CREATE TABLE loans (id int PRIMARY KEY, shop_id int NOT NULL REFERENCES shops,
  item_id int NOT NULL REFERENCES items, due date, price numeric);
INSERT INTO currencies VALUES ('EUR'), ('USD'), ('CHF');
INSERT INTO shops SELECT i, 'shop ' || i, 'city ' || i FROM generate_series(1, 3) i;
INSERT INTO staff SELECT i, 1 + i % 3, 'n' || i FROM generate_series(1, 9) i;
INSERT INTO shelves SELECT s, n, 'hall' FROM generate_series(1, 3) s, generate_series(1, 4) n;
INSERT INTO items SELECT i, 1 + i % 3, 1 + i / 3 % 4, CASE WHEN i % 3 = 1 THEN 'EUR' ELSE 'USD' END
  FROM generate_series(1, 36) i;
INSERT INTO groups SELECT i, 1 + i % 3, CASE WHEN i > 3 THEN i - 3 END
  FROM generate_series(1, 12) i;
INSERT INTO item_groups SELECT i, 1 + (i - 1) % 12 FROM generate_series(1, 36) i;
INSERT INTO helpers VALUES (1, 4), (2, 5), (3, 1);
BEGIN;
INSERT INTO boxes SELECT i, i, i FROM generate_series(1, 12) i;
INSERT INTO lids SELECT i, i FROM generate_series(1, 12) i;
COMMIT;
INSERT INTO remarks SELECT i, i, 'r' FROM generate_series(1, 36) i;
INSERT INTO loans VALUES (1, 2, 1, '2026-01-01', 5), (2, 3, 1, NULL, 5), (3, 2, 4, NULL, 6);
"""
# Shelves 3 and 4 live on, so that whose their items are only they say.
TAKEN = """
BEGIN;
DELETE FROM loans; DELETE FROM remarks; DELETE FROM lids; DELETE FROM boxes; DELETE FROM helpers;
DELETE FROM item_groups; DELETE FROM groups; DELETE FROM items; DELETE FROM shelves WHERE no < 3;
DELETE FROM staff; DELETE FROM currencies;
COMMIT;
"""
# The keys of what is to stand there afterwards: shop 2's, and what lived.
OF_SHOP_2 = {
    "currencies": "code IN ('EUR')",
    "staff": "shop_id = 2 OR id = 3",  # somebody of shop 1 helps somebody of shop 2
    "shelves": "shop_id = 2 OR no >= 3",
    "items": "place = 2",
    "groups": "shop_id = 2",
    "item_groups": "item_id IN (SELECT id FROM items WHERE place = 2)",
    "helpers": "one_id % 3 = 1 OR other_id % 3 = 1",
    "boxes": "item_id IN (SELECT id FROM items WHERE place = 2)",
    "lids": "box_id IN (SELECT id FROM items WHERE place = 2)",
    "remarks": "item_id IN (SELECT id FROM items WHERE place = 2)",
    "loans": "shop_id = 2",  # the loan of shop 3 is shop 3's, though it names an item of shop 2
}


@pytest.fixture(scope="module")
def shops(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Incident]:
    """The incident; tests that change live take a copy of it."""
    folder = tmp_path_factory.mktemp("shops")
    scratch.create("shops")
    scratch.run("shops", SHOPS)
    backup = scratch.dump("shops", folder / "backup.dump", "-Fc")
    scratch.create("shops_before", "shops")
    scratch.run("shops", TAKEN)
    case = fx.compare(backup, scratch.dsn("shops"), case=folder / "case")
    yield Incident(scratch, "shops", "shops_before", case, folder / "out")
    case.close()
    scratch.drop("shops")
    scratch.drop("shops_before")


def plan_of(found: Incident, *where: str, rows: tuple[str, ...] = (), live: bool = False) -> Plan:
    wishes = Wishes(found.dsn if live else None, live, scratch=found.scratch if live else None)
    skipped = Wishes(wishes.live, live, scratch=wishes.scratch, skip=("full restore", "roll back"))
    plan = make_plan(found.case.store, found.out, Scope(where=where, rows=rows), skipped)
    adds_up(found.case, plan)
    return plan


def returning(plan: Plan) -> dict[str, int]:
    assert plan.selected
    return {str(share.name): share.rows for share in plan.selected.shares}


def test_one_shop_returns_and_no_other(shops: Incident, database: Callable[..., str]) -> None:
    plan = plan_of(shops, "shops.city = 'city 2'", live=True)
    assert plan.holds and plan.rehearsal
    lost = sum(returning(plan).values())
    assert (plan.rehearsal.lost_before, plan.rehearsal.lost_after) == (lost, 0)
    assert plan.options[2].recovers == lost and plan.options[2].verified
    repaired = Incident(
        shops.scratch, database(template="shops"), shops.before, shops.case, shops.out
    )
    before = repaired.state()
    repaired.run("recovery.sql")
    for table, mine in OF_SHOP_2.items():
        query = f"SELECT t::text FROM {table} t {{}} ORDER BY 1"
        expected = repaired.sql(query.format(f"WHERE {mine}"), shops.before)
        assert repaired.sql(query.format("")) == expected, table
    repaired.run("undo.sql")
    assert repaired.state() == before


def test_what_is_needed_is_told_and_what_stays(shops: Incident) -> None:
    plan = plan_of(shops, "shops.id = 2")
    found = json.loads((shops.out / "plan.json").read_text())["selection"]
    assert found["where"] == ["shops.id = 2"]
    tables = {table["table"]: table for table in found["tables"]}
    assert tables["currencies"]["rows"] == tables["currencies"]["needed"] == 1
    assert tables["currencies"]["needed_by"] == ["items"]
    assert (tables["staff"]["rows"], tables["staff"]["needed"]) == (4, 1)
    assert tables["staff"]["needed_by"] == ["helpers"]
    assert tables["remarks"]["undeclared"] == ["items"]
    assert tables["items"]["needed_by"] == tables["items"]["undeclared"] == []
    left = {(one["table"], one["rows"], one["class"]) for one in found["left"]}
    assert {("items", 24, "left out"), ("loans", 1, "left out")} <= left
    assert sum(one["rows"] for one in found["left"]) == 168 - sum(returning(plan).values())
    page = (shops.out / "runbook.md").read_text()
    assert "## What belongs to `shops.id = 2`" in page
    assert "| `public.currencies` | 1 | 1 | `items` |  |" in page


def test_keys_of_one_column_and_of_several(shops: Incident) -> None:
    by_key = returning(plan_of(shops, rows=("shops=2",)))
    assert by_key == returning(plan_of(shops, "shops.id = 2"))
    assert returning(plan_of(shops, rows=("shelves=(2,1),(2,2)",)))["items"] == 6
    both = returning(plan_of(shops, "shops.id = 2", rows=("shops=3",)))
    assert both["items"] == returning(plan_of(shops, rows=("shops=2,3",)))["items"] == 24


def test_a_tree_returns_from_its_row_downwards(shops: Incident) -> None:
    found = plan_of(shops, "groups.id = 4")
    shares = {str(share.name): share for share in found.selected.shares} if found.selected else {}
    # 4 stands below 1, which it needs, and 7 and 10 below it.
    assert (shares["groups"].rows, shares["groups"].needed) == (4, 1)
    # Of the links of the group above none comes.
    assert shares["item_groups"].rows == 9
    assert shares["items"].needed == shares["items"].rows == 9


def test_from_below_only_what_is_needed_comes(shops: Incident) -> None:
    found = returning(plan_of(shops, "lids.id = 1"))
    assert found == {"lids": 1, "boxes": 1, "items": 1, "shelves": 1, "currencies": 1}


def test_in_python(shops: Incident, tmp_path: Path) -> None:
    chosen = shops.case.recovery.select(where="shops.id = 2")
    frame = chosen.selection.set_index("table")
    assert frame.loc["currencies", "needed_by"] == "items"
    assert frame["rows"].sum() == chosen.options.loc["reinsert lost rows", "recovers"]
    plan = shops.case.recovery.write(tmp_path / "out", where="shops.id = 2")
    assert returning(plan) == frame["rows"].to_dict()
    assert shops.case.recovery.selection.empty


BAD = [
    ("shop.id = 2", UnknownTableError, "no table shop", "Did you mean shops?"),
    ("shops.nam = 'x'", UsageError, "no column nam", "Did you mean name?"),
    ("id = 2", UsageError, "does not say of which table", "TABLE.COLUMN"),
    ("shops.id = 2 AND staff.id = 1", UsageError, "several tables", "--where can be given again"),
    ("shops.id = 99", UsageError, "No row of shops satisfies shops.id = 99. Looked through", ""),
    ("shops.id = = 2", QueryError, 'syntax error at or near "="', ""),
    ("shops.id = 2; DELETE FROM shops", QueryError, 'syntax error at or near ";"', ""),
    ("shops.id IN (DELETE FROM shops RETURNING id)", QueryError, "syntax error", ""),
    ("shops.id IN (SELECT shop_id FROM staff)", QueryError, "sees its own table", "references"),
    ("shops.id IN (SELECT a FROM 'x.csv')", QueryError, "sees its own table", ""),
    ("shops.id = 'x'", QueryError, "Could not convert string 'x' to INT32", ""),
]


@pytest.mark.parametrize(("where", "kind", "words", "hint"), BAD)
def test_what_cannot_be_asked_is_said(
    shops: Incident, where: str, kind: type[ForensicsError], words: str, hint: str
) -> None:
    with pytest.raises(kind) as refused:
        plan_of(shops, where)
    assert words in str(refused.value.message)
    assert hint in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("shops", "names no rows"),
        ("shelves=1", "has 2 columns (shop_id, no), and 1 gives 1"),
        ("shelves=(1,2),(3)", "and 3 gives 1"),
        ("shelves=(1,2", "is no list of keys"),
        ("shops=99", "No row of shops satisfies shops=99"),
    ],
)
def test_keys_that_cannot_be_read_are_said(shops: Incident, rows: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        plan_of(shops, rows=(rows,))
    assert words in refused.value.message


def test_without_either_side_only_what_the_case_tells(
    incident: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LIVE_DSN", raising=False)
    found = incident(SHOPS, TAKEN)
    (tmp_path / "backup.dump").unlink()
    # Whose staff is lost the lost rows say; whose items, shelves that live on.
    with pytest.raises(UsageError, match="only rows of shelves say that live on"):
        plan_of(found, "shops.id = 2")
    assert returning(plan_of(found, "staff.id = 1")) == {"staff": 3, "helpers": 2}
    monkeypatch.setenv("LIVE_DSN", found.dsn)
    assert returning(plan_of(found, "shops.id = 2"))["items"] == 12


def test_a_lost_shop_returns_with_all_of_its_own(incident: Build) -> None:
    found = incident(SHOPS, f"{TAKEN} DELETE FROM shelves; DELETE FROM shops WHERE id = 2;")
    plan = found.plan(where=("shops.name = 'shop 2'",))
    assert returning(plan) | {"shops": 1, "shelves": 4, "items": 12} == returning(plan)
    found.run("recovery.sql")
    assert found.sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM shops") == "1 2 3"


DOCUMENTS = """
CREATE TABLE clubs (id int PRIMARY KEY, name text);
CREATE TABLE members (id int PRIMARY KEY, club_id int NOT NULL REFERENCES clubs, mail text,
  sponsor_id int REFERENCES members);
INSERT INTO clubs VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO members SELECT i, 1 + i % 3, 'm' || i || '@example.org', CASE WHEN i > 3 THEN i - 3 END
  FROM generate_series(1, 90) i;
"""


def test_overwritten_values_return_in_its_rows_only(incident: Build) -> None:
    found = incident(
        DOCUMENTS, "UPDATE members SET mail = NULL; DELETE FROM members WHERE id > 84;"
    )
    plan = found.plan(rehearse=True, where=("clubs.id = 2",))
    assert plan.holds and plan.rehearsal
    assert returning(plan) == {"members": 2}
    assert plan.rehearsal.overwritten == 28
    assert {option.name: option.recovers for option in plan.options}[
        "restore overwritten values"
    ] == 28
    assert [(s.rows, s.kind) for s in plan.stays if s.column == "mail"] == [(56, "left out")]
    found.run("recovery.sql")
    assert found.sql("SELECT DISTINCT club_id FROM members WHERE mail IS NOT NULL") == "2"


def test_dropped_tables_are_made_again_for_its_rows_only(incident: Build) -> None:
    dropped = "DROP TABLE item_groups, boxes, lids, remarks; DROP TABLE loans;"
    found = incident(SHOPS, dropped)
    plan = found.plan(live=False, where=("shops.id = 2",))
    assert returning(plan) == {"boxes": 4, "item_groups": 12, "lids": 4, "loans": 2, "remarks": 12}
    only = found.plan(rehearse=True, where=("remarks.id = 5",))
    assert only.holds and returning(only) == {"remarks": 1}
    found.run("recovery.sql")
    assert found.sql("SELECT to_regclass('boxes') IS NULL AND count(*) = 1 FROM remarks") == "t"


LABELS = """
CREATE TABLE blogs (id int PRIMARY KEY);
CREATE TABLE posts (id int PRIMARY KEY, blog_id int NOT NULL REFERENCES blogs);
CREATE TABLE photos (id int PRIMARY KEY, blog_id int NOT NULL REFERENCES blogs);
CREATE TABLE labels (id int PRIMARY KEY, name text);
CREATE TABLE labelings (id int PRIMARY KEY, label_id int NOT NULL REFERENCES labels,
  target_type text NOT NULL, target_id int NOT NULL);
INSERT INTO blogs VALUES (1), (2);
INSERT INTO posts SELECT i, 1 + i % 2 FROM generate_series(1, 20) i;
INSERT INTO photos SELECT i, 1 + i / 11 FROM generate_series(1, 20) i;
INSERT INTO labels SELECT i, 'l' || i FROM generate_series(1, 5) i;
INSERT INTO labelings SELECT i, 1 + i % 5, CASE WHEN i <= 20 THEN 'Post' ELSE 'Photo' END,
  1 + (i - 1) % 20 FROM generate_series(1, 40) i;
"""


def test_references_to_several_tables_lead_by_their_kind(incident: Build) -> None:
    found = incident(LABELS, "DELETE FROM labelings")
    plan = plan_of(found, "blogs.id = 2")
    assert returning(plan) == {"labelings": 20}
    assert plan.selected and plan.selected.shares[0].undeclared == ("photos", "posts")
    names = "string_agg(id::text, ' ' ORDER BY id)"
    found.run("recovery.sql")
    expected = found.sql(
        f"SELECT {names} FROM labelings WHERE CASE target_type WHEN 'Post' THEN target_id % 2 = 1 "
        "ELSE target_id > 10 END",
        found.before,
    )
    assert found.sql(f"SELECT {names} FROM labelings") == expected


def test_what_a_statement_took_of_them_and_what_none_did(incident: Build, tmp_path: Path) -> None:
    taken = "DELETE FROM members WHERE id % 2 = 0;"
    clubs = DOCUMENTS.replace("generate_series(1, 90)", "generate_series(1, 9)")
    visits = (
        "CREATE TABLE visits (id int PRIMARY KEY, club_id int NOT NULL REFERENCES clubs, at text);"
    )
    visits += "INSERT INTO visits SELECT i, 1 + i % 3, 't' FROM generate_series(1, 9) i;"
    clubs = clubs.replace("members);", "members ON DELETE SET NULL);")
    found = incident(clubs + visits, f"{taken} DELETE FROM visits WHERE id < 4;")
    assert returning(plan_of(found, "clubs.id = 2")) == {"members": 1, "visits": 1}
    folder = tmp_path / "migrations" / "001_clean"
    folder.mkdir(parents=True)
    (folder / "migration.sql").write_text(taken)
    found.case.cause(tmp_path / "migrations", ran=["001*"])
    plan = plan_of(found, "clubs.id = 2")
    assert returning(plan) == {"members": 1}
    assert [(s.rows, s.kind) for s in plan.stays if str(s.name) == "visits"] == [
        (1, "unexplained"),
        (2, "left out"),
    ]
    every = found.plan(live=False, where=("clubs.id = 2",), include_unexplained=True)
    assert returning(every) == {"members": 1, "visits": 1}
    # Where it laid none of them at a statement, naming them is asking for them.
    assert returning(plan_of(found, "visits.id = 1")) == {"visits": 1}


def test_a_name_that_was_changed_since_still_names_its_row(incident: Build) -> None:
    renamed = "UPDATE clubs SET name = name || '!'; DELETE FROM members WHERE id > 84;"
    found = incident(DOCUMENTS, renamed)
    for condition in ("clubs.name = 'b'", "clubs.name = 'b!'"):
        plan = plan_of(found, condition)
        assert returning(plan) == {"members": 2}
        said = "satisfied clubs.name = 'b!' at the backup" in " ".join(plan.notes)
        assert said == condition.endswith("!'")


def test_on_the_command_line(shops: Incident, tmp_path: Path) -> None:
    register()
    command = ["recover", str(shops.case.folder), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*command, "--rows", "shops=2", "--into", "looked at"])
    assert done.exit_code == 0, done.output
    for words in ("What belongs to shops=2", "names and values: items", "4 ", '"looked at".items'):
        assert words in done.stdout
    assert "items: 24 rows: they do not belong to what was asked for" in done.stdout
    done = CliRunner().invoke(app, [*command, "--where", "shop.id = 2", "--json"])
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["kind"] == "unknown table"


ODD = """
CREATE SCHEMA "odd app";
CREATE TABLE "odd app"."Teams" ("Id" uuid PRIMARY KEY, "Since" date, tags text[], data jsonb);
CREATE TABLE "odd app".logs (id int, team uuid REFERENCES "odd app"."Teams", at date,
  PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE "odd app".logs_a PARTITION OF "odd app".logs FOR VALUES FROM ('2020-01-01')
  TO ('2024-01-01');
CREATE TABLE "odd app".logs_b PARTITION OF "odd app".logs DEFAULT;
CREATE TABLE "odd app".parts (id int PRIMARY KEY, log_id int, log_at date,
  FOREIGN KEY (log_id, log_at) REFERENCES "odd app".logs);
INSERT INTO "odd app"."Teams" SELECT ('a0000000-0000-0000-0000-00000000000' || i)::uuid,
  date '2020-01-01' + 700 * i, ARRAY['t' || i], jsonb_build_object('no', i)
  FROM generate_series(1, 3) i;
INSERT INTO "odd app".logs SELECT i, ('a0000000-0000-0000-0000-00000000000' || 1 + i % 3)::uuid,
  date '2023-12-20' + i FROM generate_series(1, 30) i;
INSERT INTO "odd app".parts SELECT i, i, date '2023-12-20' + i FROM generate_series(1, 30) i;
"""


def test_odd_names_types_and_partitions(incident: Build) -> None:
    taken = 'DELETE FROM "odd app".parts; DELETE FROM "odd app".logs WHERE id > 6;'
    found = incident(ODD, taken)
    expected = {'"odd app".logs': 8, '"odd app".parts': 10}
    for condition in (
        '"Teams"."Id" = \'A0000000-0000-0000-0000-000000000002\'',
        "Teams.since BETWEEN date '2023-01-01' AND date '2024-01-01'",
        "\"odd app\".teams.data->>'no' = '2'",
        "list_contains(Teams.tags, 't2') -- the second",
    ):
        assert returning(plan_of(found, condition)) == expected, condition
    keys = "odd app.Teams=A0000000-0000-0000-0000-000000000002"
    assert returning(plan_of(found, rows=(keys,))) == expected
    found.run("recovery.sql")
    of = 'SELECT count(*) FROM "odd app".logs WHERE id % 3 = 1'
    assert found.sql(of) == found.sql(of, found.before) == "10"


PAGE = Path(__file__).parents[3] / "docs" / "recovery.md"


def test_the_page_shows_what_there_is(shops: Incident, tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    commands = re.findall(r"^forensics (recover .*)$", text, re.M)
    assert len(commands) == 5
    register()
    whole = get_command(app)
    for command in commands:
        recover = whole.commands["recover"]  # type: ignore[attr-defined]
        recover.make_context("recover", shlex.split(command)[1:]).close()
    (block,) = re.findall(r"```python\n(.*?)```", text, re.S)
    block = block.replace("tenants.id", "shops.id").replace('"cases/hotels"', "folder")
    block = block.replace('"out"', "out").replace("= 7", "= 2")
    names = {"fx": fx, "folder": shops.case.folder, "out": tmp_path / "out"}
    exec(block, names)  # noqa: S102  -- our own page
    assert (tmp_path / "out" / "recovery.sql").exists()
