"""The safer migration, tried on a real copy of the backup.

Nothing is lost, and the schema is the original's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forensics.evidence import open_source
from forensics.evidence.migrations import Migration
from forensics.model import Catalog
from forensics.recovery import Plan
from forensics.recovery.rehearse.copies import BackupCopy, backup_copy
from forensics.recovery.rehearse.trial import Trial, try_migrations
from forensics.recovery.write.migration import safer_migration
from forensics.scratch import Scratch
from tests.recovery.conftest import Incident
from tests.recovery.incidents import SHOP

Build = Callable[..., Incident]
NAME = "20260102103755_add_things"

MORE = (
    SHOP
    + """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE SCHEMA old;
CREATE TABLE old.things (id serial PRIMARY KEY, note text);
INSERT INTO old.things (note) SELECT 'n' || i FROM generate_series(1, 7) i;
CREATE TABLE cache (id int PRIMARY KEY, query jsonb, seen timestamptz, price numeric(10, 4),
  m mood);
INSERT INTO cache SELECT i, CASE WHEN i % 3 > 0 THEN '{}'::jsonb END,
  CASE WHEN i % 2 = 0 THEN now() END, i / 7.0, 'ok' FROM generate_series(1, 30) i;
CREATE TABLE hits (id int PRIMARY KEY, cache_id int REFERENCES cache ON DELETE CASCADE, n int);
INSERT INTO hits SELECT i, 1 + i % 30, i FROM generate_series(1, 90) i;
CREATE TABLE notes (id int PRIMARY KEY, hit_id int REFERENCES hits ON DELETE SET NULL, body text);
INSERT INTO notes SELECT i, i, 'b' FROM generate_series(1, 50) i;
CREATE TABLE moods (m mood, n int);
INSERT INTO moods SELECT 'sad', i FROM generate_series(1, 5) i;
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO parted SELECT i FROM generate_series(1, 4) i;
CREATE TABLE years (id int PRIMARY KEY); INSERT INTO years VALUES (1), (2), (3);
CREATE TABLE split (id int, y int CONSTRAINT of_year REFERENCES years, PRIMARY KEY (id, y))
  PARTITION BY LIST (y); CREATE TABLE old.split_1 PARTITION OF split FOR VALUES IN (1);
CREATE TABLE split_2 PARTITION OF split FOR VALUES IN (2) PARTITION BY HASH (id);
CREATE TABLE split_2_0 PARTITION OF split_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE split_3 PARTITION OF split FOR VALUES IN (3);
INSERT INTO split SELECT i, 1 + i % 3 FROM generate_series(1, 12) i;
CREATE TABLE of_split (id int, y int, CONSTRAINT to_split FOREIGN KEY (id, y) REFERENCES split);
CREATE TABLE old.parted (id int PRIMARY KEY);
INSERT INTO old.parted SELECT i FROM generate_series(1, 5) i;
CREATE TABLE "ééééééééééééééééééééééééééééééé" (n int);
INSERT INTO "ééééééééééééééééééééééééééééééé" SELECT i FROM generate_series(1, 3) i;
CREATE TABLE parent (n int); CREATE TABLE old.heir () INHERITS (parent);
INSERT INTO parent VALUES (1), (2); INSERT INTO old.heir VALUES (3), (4), (5);
CREATE TABLE image_notes (id int PRIMARY KEY,
  image_id int CONSTRAINT to_image REFERENCES hotel_images);
INSERT INTO image_notes SELECT i, i FROM generate_series(1, 5) i;
CREATE TYPE mood_of AS (m mood, why text);
CREATE SEQUENCE ticks;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION fine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
CREATE TABLE busy (id int PRIMARY KEY DEFAULT nextval('ticks'), o mood_of[], CHECK (fine(id)));
INSERT INTO busy (o) SELECT ARRAY[ROW('sad', 'w')::mood_of] FROM generate_series(1, 6) i;
CREATE TRIGGER stamped BEFORE UPDATE ON busy FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE others (id int PRIMARY KEY DEFAULT nextval('ticks'));
CREATE SCHEMA kit; CREATE TYPE kit.tone AS ENUM ('low', 'high'); CREATE SEQUENCE kit.count;
CREATE TABLE kit.box (id int PRIMARY KEY, t kit.tone);
INSERT INTO kit.box VALUES (1, 'low'), (2, 'high');
CREATE TABLE boxed (id int PRIMARY KEY DEFAULT nextval('kit.count'), box int REFERENCES kit.box,
  tones kit.tone[]); CREATE VIEW in_box AS SELECT id FROM kit.box;
INSERT INTO boxed (box, tones) VALUES (1, '{low,high}'), (2, NULL);
CREATE TYPE form AS (a int); CREATE TABLE formed OF form; INSERT INTO formed VALUES (1), (2);
CREATE VIEW of_busy AS SELECT id FROM busy;
CREATE MATERIALIZED VIEW of_that AS SELECT * FROM of_busy;
CREATE TABLE worked (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO worked SELECT i, i FROM generate_series(1, 4) i;
CREATE TABLE elder (id int PRIMARY KEY, v text); CREATE TABLE younger (w int) INHERITS (elder);
CREATE TABLE youngest () INHERITS (younger);
INSERT INTO elder VALUES (1, 'a'), (2, NULL); INSERT INTO younger VALUES (1, 'b'), (4, 'c');
INSERT INTO youngest VALUES (5, 'd');
CREATE TABLE twigs (id int PRIMARY KEY, up int REFERENCES twigs ON DELETE CASCADE, leaf int);
CREATE TABLE "$do$
leaves" (id int PRIMARY KEY, twig int REFERENCES twigs ON DELETE CASCADE);
INSERT INTO twigs SELECT i, CASE WHEN i > 1 THEN i / 2 END, NULL FROM generate_series(1, 15) i;
INSERT INTO "$do$
leaves" SELECT i, CASE WHEN i < 14 THEN i END FROM generate_series(1, 15) i;
UPDATE twigs SET leaf = id;
ALTER TABLE twigs ADD FOREIGN KEY (leaf) REFERENCES "$do$
leaves" ON DELETE CASCADE;
"""
)


def _plan(build: Build, tmp_path: Path, before: str, migration: str) -> tuple[Incident, Plan, str]:
    folder = tmp_path / "migrations" / NAME
    folder.mkdir(parents=True)
    (folder / "migration.sql").write_text(migration)
    found = build(before, migration)
    plan = found.plan(rehearse=True, migrations=tmp_path / "migrations", ran=(NAME,))
    written = found.out / "migrations" / f"{NAME}_keeping_rows" / "migration.sql"
    return found, plan, written.read_text() if written.exists() else ""


GALLERY = """
ALTER TABLE hotels ADD COLUMN gallery_asset_ids jsonb, ADD COLUMN cover_asset_id int;
-- DropTable
DROP TABLE hotel_images;
"""


def test_links_go_into_the_new_column_in_their_order(incident: Build, tmp_path: Path) -> None:
    found, plan, text = _plan(incident, tmp_path, SHOP, GALLERY)
    (trial,) = plan.migrations
    assert trial.holds, trial.problems
    assert (trial.rows, trial.links, trial.lost, trial.schema_equal) == (60, 60, 0, True)
    assert (
        "ALTER TABLE hotels ADD COLUMN gallery_asset_ids jsonb, ADD COLUMN cover_asset_id int;"
        in text
    )
    found.sql(text, found.before)
    stored = found.sql(
        "SELECT id, gallery_asset_ids, cover_asset_id FROM hotels ORDER BY id", found.before
    )
    links = """SELECT h.id, jsonb_agg(i.asset_id ORDER BY i.sort_order),
      (array_agg(i.asset_id ORDER BY i.sort_order))[1]
                 FROM hotels h JOIN archive_20260102.hotel_images i ON i.hotel_id = h.id
                   GROUP BY 1 ORDER BY 1"""
    assert stored == found.sql(links, found.before)
    assert (
        found.sql(
            "SELECT count(*) FROM pg_constraint "
            "WHERE contype = 'f' AND conrelid = 'archive_20260102.hotel_images'::regclass",
            found.before,
        )
        == "0"
    )


def test_a_new_place_with_a_default_is_filled_where_it_holds_nothing(
    incident: Build, tmp_path: Path
) -> None:
    change = """
      ALTER TABLE hotels ADD COLUMN asset_ids int[] DEFAULT '{}', ADD COLUMN cover_asset_id int;
      DROP TABLE hotel_images;
      -- What the application wrote since: a list, nothing under the default,
      -- and a cover without a list.
      UPDATE hotels SET asset_ids = '{1}' WHERE id = 'h1';
      UPDATE hotels SET asset_ids = NULL WHERE id = 'h2';
      UPDATE hotels SET cover_asset_id = 4 WHERE id = 'h3'"""
    found = incident(SHOP, change)
    after = found.state()
    plan = found.plan(rehearse=True, every=True)
    assert plan.holds, (plan.problem, plan.problems)
    assert {o.name: (o.recovers, o.destroys, o.verified) for o in plan.options} == {
        "full restore": (60, 2, True),
        "roll back": (0, 2, True),
        "reinsert lost rows": (60, 0, True),
        "backfill": (54, 0, True),
    }
    for _ in range(2):
        found.run("backfill.sql")
        lists = found.sql(
            "SELECT hotel_id, array_agg(asset_id ORDER BY sort_order) FROM hotel_images "
            "WHERE hotel_id <> 'h1' GROUP BY 1 ORDER BY 1",
            found.before,
        )
        assert found.sql("SELECT id, asset_ids FROM hotels WHERE id <> 'h1' ORDER BY 1") == lists
        assert found.sql("SELECT asset_ids, cover_asset_id FROM hotels WHERE id = 'h1'") == "{1}|"
        assert found.sql("SELECT cover_asset_id FROM hotels WHERE id = 'h3'") == "4"
    for _ in range(2):
        found.run("undo_backfill.sql")
        assert found.state() == after


def test_a_link_that_does_not_arrive_stops_the_migration(incident: Build, tmp_path: Path) -> None:
    found, _, text = _plan(incident, tmp_path, SHOP, GALLERY)
    found.sql(
        "ALTER TABLE hotel_images DROP CONSTRAINT hotel_images_hotel_id_fkey; "
        "DELETE FROM hotels WHERE id = 'h2'",
        found.before,
    )
    with pytest.raises(Exception, match="did not all arrive"):
        found.sql(text, found.before)


@pytest.fixture(scope="module")
def more(
    scratch: Scratch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[BackupCopy, Catalog]]:
    """A backup of `MORE`, restored once for all migrations that are tried on it."""
    scratch.create("more")
    scratch.run("more", MORE)
    path = scratch.dump("more", tmp_path_factory.mktemp("more") / "backup.sql")
    with (
        open_source(path) as backup,
        backup_copy(scratch, backup, list(backup.statements())) as copy,
    ):
        yield copy, backup.catalog
    scratch.drop("more")


def _tried(more: tuple[BackupCopy, Catalog], migration: str) -> tuple[Trial, str]:
    copy, catalog = more
    safer = safer_migration(
        Migration(NAME, Path("migration.sql"), migration.encode()), catalog, "public", ()
    )
    assert safer is not None
    (trial,) = try_migrations([safer], copy, catalog, "public")
    return trial, safer.sql


@pytest.mark.parametrize(
    ("migration", "rows", "values"),
    [
        ("ALTER TABLE cache DROP COLUMN seen, ADD COLUMN fresh int", 0, 15),
        ("ALTER TABLE cache ALTER COLUMN price TYPE int USING price::int", 0, 30),
        (
            "DELETE FROM cache WHERE query IS NULL; "
            "ALTER TABLE cache ALTER COLUMN query SET NOT NULL",
            10 + 30 + 17,
            0,
        ),
        ("DELETE FROM cache c USING hits h WHERE h.cache_id = c.id AND h.n = 31", 1 + 3 + 2, 0),
        ("TRUNCATE hits CASCADE", 140, 0),
        ("UPDATE cache SET query = '[]' WHERE query IS NULL", 10, 0),
        (
            "WITH few AS (SELECT 1 AS id) UPDATE cache AS c SET price = 0 FROM few "
            "WHERE c.id = few.id",
            1,
            0,
        ),
        ("DROP SCHEMA old CASCADE", 7 + 5 + 3 + 4, 0),
        ("DROP TABLE moods, old.things", 12, 0),
        # What other tables had of it: values of its types, a key, a default, a view.
        ("DROP SCHEMA kit CASCADE", 2, 1),
        ("DROP TABLE IF EXISTS hotel_images, never_there CASCADE", 60, 0),
        ("ALTER TABLE cache RENAME TO store; DELETE FROM store WHERE id = 4", 1 + 3 + 2, 0),
        ("DELETE FROM moods WHERE n < 3; DROP TABLE moods; CREATE TABLE moods (n int)", 2 + 3, 0),
        ("DROP TABLE parent CASCADE", 2 + 3, 0),
        ("DELETE FROM moods WHERE n < 3; ALTER TABLE moods DROP COLUMN n", 2, 3),
        (
            "ALTER TABLE cache RENAME COLUMN seen TO at; UPDATE cache SET price = 1 WHERE id = 1; "
            "ALTER TABLE cache DROP COLUMN at",
            1,
            15,
        ),
        (
            'DROP TABLE "ééééééééééééééééééééééééééééééé"; DROP TABLE parted; '
            "DROP TABLE old.parted; DROP SCHEMA old CASCADE",
            3 + 4 + 5 + 7 + 3 + 4,
            0,
        ),
        # A circle of references that all cascade, and one that a table makes with itself;
        # rows of it that refer to none.
        ("DELETE FROM twigs WHERE id = 2", 7 + 7, 0),
        ("TRUNCATE twigs CASCADE", 15 + 15, 0),
        (
            "ALTER TABLE worked DROP COLUMN a CASCADE; ALTER TABLE elder DROP COLUMN v; "
            "DROP TABLE IF EXISTS never_there",
            0,
            4 + 4,
        ),
        (
            "DROP TABLE busy CASCADE; DROP SEQUENCE ticks CASCADE; "
            "DROP FUNCTION stamp(), fine(int); DROP FUNCTION IF EXISTS never(); "
            "DROP TYPE mood_of; DROP TABLE formed; DROP TYPE form",
            6 + 2,
            0,
        ),
        (
            "CREATE TYPE mood_new AS ENUM ('sad'); "
            "ALTER TABLE cache ALTER m TYPE mood_new USING 'sad'; DROP TABLE moods; "
            "DROP TABLE busy CASCADE; "
            "ALTER TYPE mood RENAME TO mood_old; ALTER TYPE mood_new RENAME TO mood; "
            "DROP TYPE mood_old CASCADE; DROP TYPE mood_of",
            5 + 6,
            30,
        ),
        (
            "DROP TABLE split_2 CASCADE; ALTER TABLE split DETACH PARTITION split_3; "
            "DROP TABLE split_3; DELETE FROM years WHERE id > 1",
            4 + 4 + 2,
            0,
        ),
        (
            "ALTER TABLE split DETACH PARTITION split_3; DROP TABLE of_split, split; "
            "DROP TABLE moods",
            8 + 5,
            0,
        ),
        (
            'DELETE FROM "ééééééééééééééééééééééééééééééé"; '
            'UPDATE "ééééééééééééééééééééééééééééééé" SET n = 1',
            3 + 0,
            0,
        ),
    ],
)
def test_what_a_statement_destroys_is_kept(
    more: tuple[BackupCopy, Catalog], migration: str, rows: int, values: int
) -> None:
    trial, text = _tried(more, migration)
    assert trial.holds, (trial.problems, text)
    assert (trial.rows, trial.values, trial.lost, trial.schema_equal) == (rows, values, 0, True)
    assert trial.notes == ()


@pytest.mark.parametrize(
    ("migration", "lost", "problem"),
    [
        (
            "DO $$ BEGIN EXECUTE 'DELETE FROM ' || 'moods'; END $$; DROP TABLE hits CASCADE",
            5,
            "stand nowhere",
        ),
        ("DROP TYPE mood CASCADE", 35 + 6, "Table cache or a column of it is gone"),
        (
            "ALTER TABLE notes RENAME COLUMN body TO text; "
            "DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'moods'; END $$; DROP TABLE hits CASCADE",
            5,
            "Table moods or a column",
        ),
    ],
)
def test_what_was_not_rewritten_is_counted_as_lost(
    more: tuple[BackupCopy, Catalog], migration: str, lost: int, problem: str
) -> None:
    trial, _ = _tried(more, migration)
    assert trial.lost == lost
    assert any(problem in p for p in trial.problems), trial.problems
    assert any("was not rewritten" in n for n in trial.notes)


def test_a_type_goes_with_the_table_that_uses_it(more: tuple[BackupCopy, Catalog]) -> None:
    trial, text = _tried(more, "ALTER TABLE cache DROP COLUMN m; DROP TABLE moods; DROP TYPE mood")
    assert trial.holds, (trial.problems, text)
    assert (trial.rows, trial.values) == (5, 30)


def test_nulls_are_refused_with_a_sentence(incident: Build, tmp_path: Path) -> None:
    before = (
        "CREATE TABLE cache (id int PRIMARY KEY, query jsonb); INSERT INTO cache VALUES (1, '{}')"
    )
    found, plan, text = _plan(
        incident, tmp_path, before, "ALTER TABLE cache ALTER COLUMN query SET NOT NULL"
    )
    assert plan.migrations[0].holds
    assert "NOT VALID" in text
    found.sql("INSERT INTO cache VALUES (2, NULL)", found.before)
    with pytest.raises(Exception, match=r"cache\.query holds NULLs"):
        found.sql(text, found.before)


def test_sql_that_is_put_together_when_it_runs_is_left_to_people(
    incident: Build, tmp_path: Path
) -> None:
    _, plan, _ = _plan(
        incident,
        tmp_path,
        MORE,
        "DO $$ BEGIN EXECUTE 'DELETE FROM ' || 'cache'; END $$; DROP TABLE moods",
    )
    (trial,) = plan.migrations
    assert any("was not rewritten" in note for note in trial.notes)
    assert not plan.holds
    assert trial.lost


def test_a_harmless_migration_needs_no_other(incident: Build, tmp_path: Path) -> None:
    _, plan, text = _plan(incident, tmp_path, SHOP, "ALTER TABLE hotels ADD COLUMN stars int")
    assert plan.migrations == ()
    assert text == ""
    assert any("none was rewritten" in note for note in plan.notes)
