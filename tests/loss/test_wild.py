"""Junction tables as they are in the wild: undeclared, retyped, turned, orphaned, soft-deleted."""

from __future__ import annotations

from typing import Any

import pytest

import forensics as fx
from forensics.cli.given import junctions
from forensics.errors import UsageError
from tests.conftest import Incident

SONGS = """
CREATE TABLE songs (id int PRIMARY KEY, title text);
CREATE TABLE lists (id int PRIMARY KEY, title text);
INSERT INTO songs SELECT i, 's' || i FROM generate_series(1, 20) i;
INSERT INTO lists SELECT i, 'l' || i FROM generate_series(1, 5) i;
"""
DECLARED = """
CREATE TABLE song_lists (
  id serial PRIMARY KEY, song_id int NOT NULL REFERENCES songs,
  list_id int NOT NULL REFERENCES lists{}
);
INSERT INTO song_lists (song_id, list_id) SELECT i, 1 + i % 5 FROM generate_series(1, 20) i;
"""
GRANTS = """
CREATE TABLE groups (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text);
CREATE TABLE perms (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text, code varchar(60) NOT NULL UNIQUE
);
CREATE TABLE group_perms (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {} bigint NOT NULL, {} varchar(60) NOT NULL
);
INSERT INTO groups (title) SELECT 'g' || i FROM generate_series(1, 5) i;
INSERT INTO perms (label, code) SELECT 'p' || i, 'area:' || i FROM generate_series(1, 40) i;
INSERT INTO group_perms ({}, {}) SELECT g, code FROM generate_series(1, 5) g, perms;
"""
KINDS = """
CREATE TABLE kinds (id int PRIMARY KEY, name text);
CREATE TABLE entries (id int PRIMARY KEY, name text);
CREATE TABLE entry_kinds (
  entry int NOT NULL REFERENCES entries, kind int NOT NULL REFERENCES kinds,
  PRIMARY KEY (entry, kind)
);
INSERT INTO kinds SELECT i, 'k' || i FROM generate_series(1, 12) i;
INSERT INTO entries SELECT i, 'e' || i FROM generate_series(1, 12) i;
INSERT INTO entry_kinds SELECT a, b FROM generate_series(1, 12) a, generate_series(1, 12) b
 WHERE b > a AND (a + b) % 3 = 0;
"""


def counts(entry: dict[str, Any], *names: str) -> tuple[int, ...]:
    return tuple(entry[name] for name in names)


def the(case: fx.Case, table: str) -> dict[str, Any]:
    [found] = [j for j in case.loss["junctions"] if j["table"] == table]
    assert found["missing"] == found["moved"] + found["superseded"] + found["lost"]
    assert found["lost"] == found["restorable"] + found["blocked"] + found["conflicting"]
    return found


# --- orphans ------------------------------------------------------------------------------------

ORPHANS = """
SET session_replication_role = replica;
INSERT INTO song_lists (song_id, list_id) VALUES (777, 1), (3, 88), (777, 88), (5, NULL);
"""


def test_links_that_never_had_a_parent(incident: Incident) -> None:
    declared = DECLARED.replace("list_id int NOT NULL", "list_id int").format("")
    incident.happens(
        SONGS + declared + ORPHANS, "TRUNCATE song_lists; DELETE FROM lists WHERE id = 2"
    )
    with incident.compare() as case:
        found = the(case, "song_lists")
        # 20 links, of which 4 are of list 2; one more names a song only.
        assert counts(found, "missing", "restorable", "blocked") == (24, 17, 7)
        assert found["affected"] == {"songs": 20, "lists": 4}
        assert all(spread["untouched"] >= 0 for spread in found["spread"])
        assert any("songs" in note and ": 2." in note for note in found["notes"])
        # The list that is gone comes back with its links; what never was does not.
        plan = case.recovery(include_unexplained=True).plan
        [target] = [t for t in plan.targets if t.name.table == "song_lists"]
        assert (target.rows, target.freed, target.counts["blocked"]) == (21, 4, 3)
        [option] = [o for o in plan.as_json()["options"] if o["name"] == "reinsert lost rows"]
        assert (option["freed"], option["blocked"]) == (4, 3)


# --- dangling -----------------------------------------------------------------------------------


def test_links_to_a_table_that_was_dropped_lead_nowhere(incident: Incident) -> None:
    incident.happens(SONGS + DECLARED.format(""), "DROP TABLE songs CASCADE")
    with incident.compare() as case:
        found = the(case, "song_lists")
        assert (found["missing"], found["dangling"]) == (0, {"songs": 20})
        assert any("20 rows of live" in said for said in case.junction("song_lists").sentences)


def test_links_whose_key_was_dropped_before_their_rows(incident: Incident) -> None:
    incident.happens(
        SONGS + DECLARED.format(""),
        "ALTER TABLE song_lists DROP CONSTRAINT song_lists_list_id_fkey;"
        "DELETE FROM lists WHERE id = 3",
    )
    with incident.compare() as case:
        assert the(case, "song_lists")["dangling"] == {"lists": 4}


def test_links_that_lead_to_a_successor_do_not_dangle(incident: Incident) -> None:
    incident.happens(
        SONGS + DECLARED.format(""),
        "CREATE TABLE tracks AS SELECT id, title, 0 AS plays, now() AS seen FROM songs;"
        "ALTER TABLE tracks ADD PRIMARY KEY (id); DROP TABLE songs CASCADE;"
        "ALTER TABLE song_lists ADD FOREIGN KEY (song_id) REFERENCES tracks",
    )
    with incident.compare() as case:
        assert the(case, "song_lists")["dangling"] == {}


# --- undeclared, and retyped --------------------------------------------------------------------


def test_ends_that_only_live_declares(incident: Incident) -> None:
    incident.happens(
        SONGS + "CREATE TABLE song_lists (id serial PRIMARY KEY, s text NOT NULL, l text NOT NULL);"
        "INSERT INTO song_lists (s, l) SELECT i, 1 + i % 5 FROM generate_series(1, 20) i;",
        "ALTER TABLE song_lists ALTER s TYPE int USING s::int, ALTER l TYPE int USING l::int;"
        "ALTER TABLE song_lists ADD FOREIGN KEY (s) REFERENCES songs,"
        "  ADD FOREIGN KEY (l) REFERENCES lists;"
        "DELETE FROM song_lists WHERE id <= 6; DELETE FROM songs WHERE id = 1",
    )
    with incident.compare() as case:
        found = the(case, "song_lists")
        assert counts(found, "missing", "restorable", "blocked") == (6, 5, 1)
        assert not any(parent["declared"] for parent in found["parents"])
        flags = {t["table"]: t["junction"] for t in case.summary()["tables"]}
        assert flags == {"songs": False, "lists": False, "song_lists": True}


def test_what_the_summary_calls_a_junction_table_loss_classifies(incident: Incident) -> None:
    incident.happens(
        SONGS + "CREATE TABLE noted (id serial PRIMARY KEY, a int, b int);"
        "INSERT INTO noted (a, b) SELECT i, i FROM generate_series(1, 9) i;",
        "CREATE TABLE fresh (id int PRIMARY KEY); INSERT INTO fresh SELECT generate_series(1, 9);"
        "ALTER TABLE noted ADD FOREIGN KEY (a) REFERENCES songs,"
        "  ADD FOREIGN KEY (b) REFERENCES fresh; DELETE FROM noted WHERE id < 4",
    )
    with incident.compare() as case:
        called = {t["table"] for t in case.summary()["tables"] if t["junction"]}
        assert called == {j["table"] for j in case.loss["junctions"]}


@pytest.mark.parametrize("code", ["perm_code", "perms_code"])
def test_links_by_a_code(incident: Incident, code: str) -> None:
    incident.happens(
        GRANTS.format("group_id", code, "group_id", code),
        "DELETE FROM group_perms WHERE group_id = 1 AND id % 3 = 0; DELETE FROM perms WHERE id = 7",
    )
    with incident.compare() as case:
        found = the(case, "group_perms")
        gone = 13
        assert counts(found, "missing", "lost") == (gone, gone)
        assert {tuple(p["parent_columns"]) for p in found["parents"]} == {("id",), ("code",)}
        assert found["dangling"] == {"perms": 5}


def test_a_name_that_many_tables_have_is_no_code(incident: Incident) -> None:
    incident.happens(
        SONGS + "ALTER TABLE lists ADD UNIQUE (title);"
        "CREATE TABLE plays (id serial PRIMARY KEY, song_id int REFERENCES songs, title text);"
        "INSERT INTO plays (song_id, title)"
        "  SELECT i, 'l' || 1 + i % 5 FROM generate_series(1, 9) i;",
        "DELETE FROM plays WHERE id = 1",
    )
    with incident.compare() as case:
        assert [j["table"] for j in case.loss["junctions"]] == []


@pytest.mark.parametrize("spelled", ["perms.code", "public.perms.code", "perms(code)"])
def test_another_key_of_a_parent_can_be_named(incident: Incident, spelled: str) -> None:
    incident.happens(GRANTS.format("a", "b", "a", "b"), "DELETE FROM group_perms WHERE id <= 10")
    wish = junctions([f"group_perms=a:groups,b:{spelled}"])
    with incident.compare(options=fx.Options(junctions=wish)) as case:
        found = the(case, "group_perms")
        assert counts(found, "missing", "restorable") == (10, 10)
        assert found["affected"] == {"groups": 1, "perms": 10}
    wrong = junctions(["group_perms=a:groups,b:perms.label"])
    with pytest.raises(UsageError, match="--junction"):
        incident.compare("wrong", options=fx.Options(junctions=wrong))


# --- marked deleted -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("deleted_at timestamptz", "'2026-01-01Z'"),
        ('"isDeleted" boolean NOT NULL DEFAULT false', "true"),
        ("del_flag char(1) DEFAULT '0'", "'2'"),
        ("deleted smallint NOT NULL DEFAULT 0", "1"),
    ],
)
def test_links_that_stand_again_as_deleted_are_lost(
    incident: Incident, column: str, value: str
) -> None:
    mark = column.split()[0]
    incident.happens(
        SONGS + DECLARED.format(f", {column}"),
        "CREATE TEMP TABLE was AS SELECT * FROM song_lists WHERE id <= 6;"
        "DELETE FROM song_lists WHERE id <= 6;"
        "INSERT INTO song_lists (song_id, list_id) SELECT song_id, list_id FROM was WHERE id <= 2;"
        f"INSERT INTO song_lists (song_id, list_id, {mark})"
        f"  SELECT song_id, list_id, {value} FROM was WHERE id BETWEEN 3 AND 5",
    )
    with incident.compare() as case:
        found = the(case, "song_lists")
        assert counts(found, "superseded", "lost") == (2, 4)
        assert any("marked deleted: 3." in note for note in found["notes"])
        # Songs 3 to 5 have a row that is marked, and song 6 has none: four hold no link.
        assert found["affected"]["songs"] == found["emptied"]["songs"] == 4


def test_links_that_were_marked_deleted_since_are_said(incident: Incident) -> None:
    incident.happens(
        SONGS + DECLARED.format(", deleted_at timestamptz"),
        "UPDATE song_lists SET deleted_at = now() WHERE id <= 7;"
        "DELETE FROM song_lists WHERE id = 9",
    )
    with incident.compare() as case:
        found = the(case, "song_lists")
        assert counts(found, "missing", "lost", "overwritten") == (1, 1, 0)
        assert any("marked deleted since the backup: 7." in note for note in found["notes"])


def test_keys_that_are_called_uid(incident: Incident) -> None:
    incident.happens(
        "CREATE TABLE device (uid uuid PRIMARY KEY, serial text);"
        "CREATE TABLE site (id bigint PRIMARY KEY, name text);"
        "CREATE TABLE device_site (device_uid uuid, site_id bigint,"
        " PRIMARY KEY (device_uid, site_id));"
        "INSERT INTO device SELECT md5('d' || i)::uuid, i FROM generate_series(1, 30) i;"
        "INSERT INTO site SELECT i, 's' || i FROM generate_series(1, 6) i;"
        "INSERT INTO device_site SELECT md5('d' || i)::uuid, 1 + i % 6"
        " FROM generate_series(1, 30) i;",
        "DELETE FROM device WHERE serial::int <= 4; DELETE FROM device_site WHERE site_id = 6",
    )
    with incident.compare() as case:
        found = the(case, "device_site")
        assert counts(found, "missing", "lost") == (5, 5)
        assert found["dangling"] == {"device": 4}


def test_links_that_were_deleted_before_are_superseded_as_such(incident: Incident) -> None:
    incident.happens(
        SONGS
        + DECLARED.format(", deleted_at timestamptz")
        + "UPDATE song_lists SET deleted_at = '2025-01-01Z' WHERE id <= 6;",
        "UPDATE song_lists SET id = id + 100 WHERE id <= 6",
    )
    with incident.compare() as case:
        assert counts(the(case, "song_lists"), "superseded", "lost") == (6, 0)


def test_links_that_moved_to_deleted_rows_are_lost(incident: Incident) -> None:
    incident.happens(
        SONGS + DECLARED.format(""),
        "CREATE TABLE playlist_entries (playlist int REFERENCES lists, song int REFERENCES songs,"
        "  removed_at timestamptz, PRIMARY KEY (playlist, song));"
        "INSERT INTO playlist_entries SELECT list_id, song_id, CASE WHEN id < 4 THEN now() END"
        "  FROM song_lists; DROP TABLE song_lists",
    )
    with incident.compare() as case:
        assert counts(the(case, "song_lists"), "moved", "lost") == (17, 3)


# --- ends that changed places -------------------------------------------------------------------

TURNED = (
    "CREATE TABLE entry_tags (entry int NOT NULL REFERENCES kinds,"
    "  kind int NOT NULL REFERENCES entries, PRIMARY KEY (entry, kind));"
    "INSERT INTO entry_tags SELECT * FROM entry_kinds; DROP TABLE entry_kinds"
)
TURNED_IN_PLACE = (
    "ALTER TABLE entry_kinds DROP CONSTRAINT entry_kinds_entry_fkey,"
    "  DROP CONSTRAINT entry_kinds_kind_fkey;"
    "ALTER TABLE entry_kinds ADD FOREIGN KEY (entry) REFERENCES kinds,"
    "  ADD FOREIGN KEY (kind) REFERENCES entries"
)


def kinds_of_findings(case: fx.Case) -> list[str]:
    return [finding["kind"] for finding in case.summary()["findings"]]


def test_a_table_whose_ends_changed_places_is_not_renamed(incident: Incident) -> None:
    incident.happens(KINDS, TURNED)
    with incident.compare() as case:
        assert counts(the(case, "entry_kinds"), "missing", "lost") == (22, 22)
        assert kinds_of_findings(case) == ["ends changed places"]
        [target] = case.recovery(include_unexplained=True).plan.targets
        assert (target.name.table, target.rows) == ("entry_kinds", 22)


def test_a_table_that_was_renamed_still_is(incident: Incident) -> None:
    incident.happens(
        KINDS, "ALTER TABLE kinds RENAME TO tags; ALTER TABLE entry_kinds RENAME TO entry_tags"
    )
    with incident.compare() as case:
        assert counts(the(case, "entry_kinds"), "moved", "lost") == (22, 0)
        assert kinds_of_findings(case) == ["renamed table", "renamed table"]
        assert not case.recovery(include_unexplained=True).plan.targets


def test_ends_that_changed_places_in_a_table_that_stands(incident: Incident) -> None:
    incident.happens(KINDS, TURNED_IN_PLACE)
    with incident.compare() as case:
        assert the(case, "entry_kinds")["overwritten"] == 22
        assert kinds_of_findings(case) == ["ends changed places"]
        page = case.report(incident.backup.parent / "report.md").read_text()
        intact = page.partition("## Proven intact")[2].partition("\n## ")[0]
        assert "`kinds`" in intact
        assert "entry_kinds" not in intact


def test_no_row_goes_back_to_ends_that_changed_places(incident: Incident) -> None:
    incident.happens(KINDS, f"DELETE FROM entry_kinds WHERE entry = 1; {TURNED_IN_PLACE}")
    with incident.compare() as case:
        found = the(case, "entry_kinds")
        assert found["missing"] == found["conflicting"] > 0
