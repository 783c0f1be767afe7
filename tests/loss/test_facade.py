"""The loss as people see it: DataFrames, HTML, JSON, the command line; without the sides too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import forensics as fx
from forensics.cli.times import parse_time
from forensics.compare.options import Options
from forensics.errors import CaseError, UnknownTableError
from forensics.scratch import Scratch
from tests.conftest import Incident

CASES = Path(__file__).parent.parent / "cases"


def sql(name: str) -> tuple[str, str]:
    return (CASES / name / "before.sql").read_text(), (CASES / name / "change.sql").read_text()


def cli(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "forensics", *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_case_answers_without_its_sides(incident: Incident, tmp_path: Path) -> None:
    incident.happens(*sql("links_blocked_and_conflicting"))
    incident.compare().close()
    incident.backup.unlink()
    with fx.open_case(tmp_path / "case") as case:
        frame = case.junctions
        assert list(frame["table"]) == ["hotel_images", "hotel_videos"]
        assert frame.set_index("table").loc[
            "hotel_images", ["missing", "lost", "blocked", "affected", "emptied"]
        ].tolist() == [
            9,
            9,
            4,
            12,
            8,
        ]
        rows = case.junction("hotel_images").rows
        reasons = dict(zip(rows["id"], rows["reason"], strict=True))
        assert reasons["l10"] == "gone from live: hotels"
        assert reasons["l20"] == "gone from live: media_assets"
        assert reasons["l30"] == "collides with hotel_images_hotel_id_sort_order_key"
        assert rows["reason"].isna().sum() == 3
        assert case.loss["totals"] == {
            "missing": 18,
            "moved": 0,
            "superseded": 0,
            "lost": 18,
            "restorable": 5,
            "blocked": 8,
            "conflicting": 5,
            "overwritten": 0,
        }


def test_each_parent_row_has_what_it_had_has_and_can_get_back(incident: Incident) -> None:
    incident.happens(*sql("links_blocked_and_conflicting"))
    with incident.compare() as case:
        hotels = case.junction("hotel_images").by_parent("hotels").set_index("id")
        columns = [
            "label",
            "state",
            "had",
            "has",
            "missing",
            "lost",
            "restorable",
            "blocked",
            "conflicting",
            "left",
        ]
        assert hotels.loc["h1", columns].tolist() == ["Hotel 1", "gone", 3, 0, 3, 3, 0, 3, 0, 0]
        assert hotels.loc["h2", columns].tolist() == ["Hotel 2", "affected", 3, 2, 1, 1, 0, 1, 0, 2]
        assert hotels.loc["h3", columns].tolist() == ["Hotel 3", "affected", 3, 1, 3, 3, 2, 0, 1, 1]
        assert hotels.loc["h4", columns].tolist() == ["Hotel 4", "affected", 3, 2, 1, 1, 0, 0, 1, 2]
        assert "h6" not in hotels.index
        assert hotels["lost"].is_monotonic_decreasing
        assert (
            case.junction("hotel_videos")
            .by_parent("public.hotels")
            .set_index("id")
            .loc["h2", "state"]
            == "emptied"
        )


def test_a_kind_of_row_may_stand_in_another_column_of_live(incident: Incident) -> None:
    incident.happens(
        """
        CREATE TABLE posts (id int PRIMARY KEY, title text);
        CREATE TABLE tags (id int PRIMARY KEY, name text);
        CREATE TABLE taggings (
          id int PRIMARY KEY, note text, tag_id int, taggable_type text, taggable_id int
        );
        INSERT INTO posts SELECT i, 'Post ' || i FROM generate_series(1, 8) i;
        INSERT INTO tags SELECT i, 'Tag ' || i FROM generate_series(1, 8) i;
        INSERT INTO taggings SELECT i, 'n', 1 + i % 8, 'Post', 1 + i / 2
          FROM generate_series(0, 15) i;
        """,
        """
        ALTER TABLE taggings DROP COLUMN note;
        DELETE FROM taggings WHERE id = 0;
        UPDATE taggings SET tag_id = 7 WHERE id = 1;
        """,
    )
    with incident.compare() as case:
        posts = case.junction("taggings").by_parent("posts").set_index("id")
        assert posts.loc["1", ["had", "has", "missing"]].tolist() == [2, 1, 1]


def test_wrong_names_are_answered_with_near_ones(incident: Incident) -> None:
    incident.happens(*sql("links_blocked_and_conflicting"))
    with incident.compare() as case:
        with pytest.raises(UnknownTableError, match="Did you mean hotel_images"):
            case.junction("hotel_image")
        with pytest.raises(UnknownTableError, match="Its parents are media_assets and hotels"):
            case.junction("hotel_images").by_parent("hotles")


def test_everything_shows_itself_and_escapes_what_it_shows(incident: Incident) -> None:
    incident.happens(
        'CREATE TABLE "<b>a" (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); '
        'CREATE TABLE "<i>ab" (a_id int REFERENCES "<b>a", b_id int REFERENCES b, '
        "PRIMARY KEY (a_id, b_id)); "
        'INSERT INTO "<b>a" VALUES (1); INSERT INTO b VALUES (1); '
        'INSERT INTO "<i>ab" VALUES (1, 1)',
        'DROP TABLE "<i>ab"; DELETE FROM "<b>a"',
    )
    with incident.compare() as case:
        shown = case.junction("<i>ab")._repr_html_() + case.window._repr_html_()
        assert "<b>a" not in shown
        assert "<i>ab" not in shown
        assert "&lt;b&gt;a" in shown
        assert "1 missing" in repr(case.junction('"<i>ab"'))


def test_what_is_reached_outward(incident: Incident) -> None:
    incident.happens(
        """
        CREATE TABLE places (id int PRIMARY KEY, name text);
        CREATE TABLE photos (id int PRIMARY KEY, url text);
        CREATE TABLE tours (id int PRIMARY KEY, title text);
        CREATE TABLE place_photos (
          place_id int REFERENCES places, photo_id int REFERENCES photos,
          PRIMARY KEY (place_id, photo_id)
        );
        CREATE TABLE tour_places (
          tour_id int REFERENCES tours, place_id int REFERENCES places,
          PRIMARY KEY (tour_id, place_id)
        );
        CREATE TABLE bookings (id int PRIMARY KEY, tour_id int REFERENCES tours, who text);
        INSERT INTO places SELECT i, 'Place ' || i FROM generate_series(1, 5) i;
        INSERT INTO photos SELECT i FROM generate_series(1, 9) i;
        INSERT INTO tours SELECT i, 'Tour ' || i FROM generate_series(1, 4) i;
        INSERT INTO place_photos VALUES (1, 1), (2, 2), (2, 3);
        INSERT INTO tour_places VALUES (1, 1), (1, 2), (2, 2), (3, 5);
        INSERT INTO bookings VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 3, 'c');
        """,
        "DROP TABLE place_photos",
    )
    with incident.compare() as case:
        reach = case.junction("place_photos").reach.set_index("table")
        assert reach.loc["tours", ["from", "path", "rows", "of"]].tolist() == [
            "places",
            "places → tour_places → tours",
            2,
            4,
        ]
        assert reach.loc["tours", "worst"] == "Tour 1, Tour 2"
        assert reach.loc["bookings", ["path", "rows"]].tolist() == [
            "places → tour_places → tours → bookings",
            2,
        ]


def test_loss_or_life(incident: Incident) -> None:
    incident.happens(
        """
        CREATE TABLE users (id serial PRIMARY KEY, name text, created_at timestamptz NOT NULL);
        CREATE TABLE sessions (
          id text PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE CASCADE,
          expires_at timestamptz
        );
        CREATE TABLE searches (
          id int PRIMARY KEY, query jsonb, created_at timestamptz NOT NULL
        );
        INSERT INTO users (name, created_at)
          SELECT 'u' || i, timestamptz '2025-09-01 12:00Z' + i * interval '1 day'
            FROM generate_series(1, 90) i;
        INSERT INTO sessions
          SELECT 's' || i, i,
                 CASE WHEN i > 80 THEN timestamptz '2025-12-10 04:00Z' ELSE '2026-02-01' END
            FROM generate_series(1, 90) i;
        INSERT INTO searches
          SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE '{}'::jsonb END,
                 timestamptz '2025-09-01 12:00Z' + i * interval '1 day'
            FROM generate_series(1, 90) i;
        """,
        """
        DELETE FROM users WHERE id <= 2;
        DELETE FROM sessions WHERE id IN ('s85', 's86', 's87');
        DELETE FROM searches WHERE query IS NULL;
        ALTER TABLE searches ALTER query SET NOT NULL;
        """,
    )
    times = {
        "backup_at": parse_time("2025-12-10T03:00:00Z"),
        "incident_at": parse_time("2025-12-10T16:00:00Z"),
    }
    with incident.compare(times=times) as case:
        found = case.churn.set_index("table")
        assert found.loc["sessions", ["cascaded", "expired", "alone", "verdict"]].tolist() == [
            2,
            3,
            0,
            "life",
        ]
        assert found.loc["searches", ["unfit", "alone", "verdict"]].tolist() == [
            30,
            0,
            "out of line",
        ]
        assert found.loc["users", ["alone", "usual", "verdict"]].tolist() == [2, 0, "life"]


def test_live_may_be_a_dump(incident: Incident, scratch: Scratch, tmp_path: Path) -> None:
    incident.happens(*sql("links_moved_into_columns"))
    dump = scratch.dump(incident.live, tmp_path / "live.dump", "-Fc")
    with incident.compare() as case, fx.compare(incident.backup, dump, tmp_path / "two") as two:
        assert two.loss["junctions"] == case.loss["junctions"]


def test_of_a_part_of_the_tables_the_rest_is_still_looked_up(incident: Incident) -> None:
    incident.happens(*sql("links_moved_into_columns"))
    with incident.compare(options=Options(tables=("hotel_images",))) as case:
        assert [j["table"] for j in case.loss["junctions"]] == ["hotel_images"]
        counts = case.loss["totals"]
        # hotels was not compared, so that a column that both sides have is not known to have
        # changed
        assert (counts["missing"], counts["moved"], counts["restorable"]) == (24, 8, 16)


def test_resuming_gives_the_same_answer(incident: Incident) -> None:
    incident.happens(*sql("links_superseded"))
    with incident.compare() as case:
        before = case.loss
    with incident.compare(options=Options(resume=True)) as case:
        assert case.loss == before


def test_a_parent_that_may_not_be_read_is_said_and_nothing_is_called_equal(
    incident: Incident, scratch: Scratch, tmp_path: Path
) -> None:
    incident.happens(*sql("links_nobody_declared"))
    scratch.run(
        incident.live,
        "CREATE ROLE half_blind LOGIN; "
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO half_blind; "
        'REVOKE SELECT ON "Author" FROM half_blind',
    )
    try:
        done = cli(
            "compare",
            incident.backup,
            f"{incident.live_dsn.replace('postgres@', 'half_blind@')}",
            "--case",
            tmp_path / "blind",
            "--json",
        )
        assert done.returncode == 2, done.stderr
        found = cli("loss", tmp_path / "blind", "--json")
        assert found.returncode == 2
        loss = json.loads(found.stdout)
        assert {f["table"] for f in loss["failed"]} == {"_AuthorToBook", "taggings"}
        assert "permission denied" in loss["failed"][0]["reason"]
        assert {j["table"]: j["lost"] is None for j in loss["junctions"]} == {
            "article_labels": False,
            "_AuthorToBook": True,
            "taggings": True,
        }
    finally:
        scratch.run(incident.live, "DROP OWNED BY half_blind; DROP ROLE half_blind")


def test_the_command_says_what_the_case_holds(incident: Incident, tmp_path: Path) -> None:
    incident.happens(*sql("links_superseded"))
    with incident.compare() as case:
        expected = case.loss
    (tmp_path / "case" / "loss.json").unlink()
    done = cli("loss", tmp_path / "case", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        json.loads(done.stdout)
        == expected
        == json.loads((tmp_path / "case" / "loss.json").read_text())
    )
    assert (tmp_path / "case" / "loss.json").stat().st_mode & 0o777 == 0o600
    shown = cli("loss", tmp_path / "case")
    assert shown.returncode == 1
    assert "Of 5 missing links 2 are lost: 2 can be restored" in shown.stdout
    quiet = cli("loss", tmp_path / "case", "--quiet")
    assert (quiet.stdout, quiet.stderr, quiet.returncode) == ("", "", 1)


def test_nothing_missing_is_0_and_no_case_is_2(incident: Incident, tmp_path: Path) -> None:
    incident.happens(sql("links_superseded")[0], "")
    incident.compare().close()
    done = cli("loss", tmp_path / "case", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["missing"] == 0
    none = cli("loss", tmp_path / "nowhere", "--json")
    assert none.returncode == 2
    assert json.loads(none.stdout)["error"]["kind"] == "case"
    with pytest.raises(CaseError):
        fx.open_case(tmp_path / "nowhere")


def test_a_place_that_may_not_be_read_leaves_it_unknown_what_moved_there(
    incident: Incident, scratch: Scratch
) -> None:
    incident.happens(
        "CREATE TABLE k (id int PRIMARY KEY); CREATE TABLE l (id int PRIMARY KEY); "
        "INSERT INTO k VALUES (1), (2); INSERT INTO l VALUES (1), (2), (3); "
        "CREATE TABLE k_l (k_id int REFERENCES k, l_id int REFERENCES l, "
        "PRIMARY KEY (k_id, l_id)); INSERT INTO k_l SELECT k.id, l.id FROM k, l",
        "CREATE TABLE kept (k_id int REFERENCES k, l_id int REFERENCES l, "
        "PRIMARY KEY (k_id, l_id)); INSERT INTO kept SELECT * FROM k_l; DELETE FROM k_l",
    )
    role = f"keeper_{incident.live}"
    scratch.run(
        incident.live,
        f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; "
        f"REVOKE SELECT ON kept FROM {role}",
    )
    try:
        incident.compare("all").close()
        dsn = incident.live_dsn.replace("postgres@", f"{role}@")
        with fx.compare(incident.backup, dsn, incident.backup.parent / "blind") as case:
            [entry] = case.loss["junctions"]
            assert (entry["missing"], entry["lost"], entry["moved"]) == (6, None, None)
            assert "kept" in entry["reason"]
            assert case.unknown
    finally:
        scratch.run(incident.live, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_junction_table_whose_parents_nobody_knows_is_not_classified(
    incident: Incident, tmp_path: Path
) -> None:
    incident.happens(
        'CREATE TABLE "_ApeToBee" ("A" int, "B" int, UNIQUE ("A", "B"));'
        'INSERT INTO "_ApeToBee" SELECT i, i FROM generate_series(1, 9) i;'
        "CREATE TABLE others (a int, b int); INSERT INTO others VALUES (1, 1);",
        'DELETE FROM "_ApeToBee" WHERE "A" < 4',
    )
    incident.compare().close()
    done = cli("loss", tmp_path / "case", "--json")
    assert done.returncode == 2
    (entry,) = json.loads(done.stdout)["junctions"]
    assert (entry["missing"], entry["lost"]) == (3, None)
    assert "what its columns refer to is not known" in entry["reason"]
