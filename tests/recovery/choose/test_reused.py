"""Links follow the row, not the number, where keys were used again."""

from __future__ import annotations

from collections.abc import Callable

from tests.recovery.conftest import Incident

Build = Callable[..., Incident]

CLUBS = """
CREATE TABLE people (id serial PRIMARY KEY, mail text UNIQUE);
CREATE TABLE clubs (id serial PRIMARY KEY, name text NOT NULL UNIQUE, motto text);
CREATE TABLE members (club_id int NOT NULL REFERENCES clubs ON DELETE CASCADE,
  person_id int NOT NULL REFERENCES people, PRIMARY KEY (club_id, person_id));
CREATE TABLE fees (id serial PRIMARY KEY, club_id int REFERENCES clubs ON DELETE CASCADE,
  amount numeric, memo text);
INSERT INTO people (mail) SELECT 'p' || i FROM generate_series(1, 20) i;
INSERT INTO clubs (name, motto) VALUES ('chess', 'a'), ('rowing', 'b'), ('choir', 'c'), ('go', 'd');
INSERT INTO members SELECT 1 + i % 4, i FROM generate_series(1, 20) i;
INSERT INTO fees (club_id, amount, memo) SELECT 1 + i % 4, i, 'fee ' || i
  FROM generate_series(1, 8) i;
"""
AGAIN = """
TRUNCATE clubs RESTART IDENTITY CASCADE;
INSERT INTO clubs (name, motto) VALUES ('choir', 'c'), ('judo', 'j'), ('chess', 'a');
INSERT INTO clubs (name, motto) VALUES ('rowing', 'b');
"""
HELD = (
    "SELECT mail || ' ' || name FROM members m JOIN people p ON p.id = person_id "
    "JOIN clubs c ON c.id = club_id"
)
PAID = "SELECT memo || ' ' || name FROM fees JOIN clubs c ON c.id = club_id"


def _counts(found: Incident, table: str) -> dict[str, int]:
    (entry,) = [j for j in found.case.loss["junctions"] if j["table"] == table]
    names = ("missing", "superseded", "restorable", "blocked", "conflicting", "overwritten")
    return {name: entry[name] for name in names}


def _lines(found: Incident, query: str, database: str | None = None) -> set[str]:
    return set(found.sql(query, database).splitlines())


def test_links_return_onto_the_same_rows_and_the_others_are_blocked(incident: Build) -> None:
    found = incident(CLUBS, AGAIN)
    # Those of go, which was not made again, lead to another club's number or to none.
    assert _counts(found, "members") == {
        "missing": 20,
        "superseded": 0,
        "restorable": 15,
        "blocked": 5,
        "conflicting": 0,
        "overwritten": 0,
    }
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.problems)
    reasons = dict(next(t for t in plan.targets if t.name.table == "members").reasons)
    assert sum(reasons.values()) == 5
    assert any("another row stands under the key" in why for why in reasons)
    was = found.state()
    found.run("recovery.sql")
    before = _lines(found, HELD, found.before)
    assert _lines(found, HELD) == {line for line in before if not line.endswith(" go")}
    paid = _lines(found, PAID, found.before)
    assert _lines(found, PAID) == {line for line in paid if not line.endswith(" go")}
    assert found.sql("SELECT count(*) FROM clubs") == "4"
    found.run("undo.sql")
    assert found.state() == was


def test_links_that_were_given_again_are_not_doubled(incident: Build) -> None:
    found = incident(
        CLUBS,
        f"{AGAIN} INSERT INTO members SELECT c.id, p.id FROM people p, clubs c "
        "WHERE name = 'chess' AND p.id % 4 = 0 AND p.id <= 8",
    )
    counts = _counts(found, "members")
    # (4, 4) and (4, 8) of the backup were of go; live's (3, 4) and (3, 8) are chess, as then.
    assert (counts["superseded"], counts["restorable"], counts["blocked"]) == (2, 13, 5)
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.problems)
    found.run("recovery.sql")
    before = _lines(found, HELD, found.before)
    assert _lines(found, HELD) == {line for line in before if not line.endswith(" go")}


def test_links_that_stand_under_their_numbers_are_overwritten(incident: Build) -> None:
    found = incident(
        CLUBS,
        "UPDATE clubs SET name = 'x' || id; "
        "UPDATE clubs SET name = (ARRAY['go', 'choir', 'rowing', 'chess'])[id], "
        "motto = (ARRAY['d', 'c', 'b', 'a'])[id]",
    )
    result = found.case.result("members")
    assert (result.missing, result.changed, result.unchanged) == (0, 0, 20)
    assert _counts(found, "members")["overwritten"] == 20
    assert not found.case.nothing_missing
    assert "20 links of members" in found.case.verdict
    plan = found.plan(include_unexplained=True)
    assert "20 links of rows that stand lead to other rows now" in plan.recommendation
    assert "What the tables hold" not in (found.out / "runbook.md").read_text()


def test_a_row_that_is_only_probably_the_same_gets_no_link(incident: Build) -> None:
    before = CLUBS.replace("name text NOT NULL UNIQUE", "name text, made timestamptz DEFAULT now()")
    found = incident(before, AGAIN)
    counts = _counts(found, "members")
    assert (counts["restorable"], counts["blocked"]) == (0, 20)
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.problems)
    members = next(t for t in plan.targets if t.name.table == "members")
    assert any("probably the same" in why for why, _ in members.reasons)
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM members") == "0"
    assert found.sql("SELECT count(*) FROM clubs") == "4"


def test_links_of_several_kinds_follow_their_own_row(incident: Build) -> None:
    found = incident(
        """
        CREATE TABLE labels (id serial PRIMARY KEY, name text UNIQUE);
        CREATE TABLE posts (id serial PRIMARY KEY, slug text UNIQUE);
        CREATE TABLE films (id serial PRIMARY KEY, slug text UNIQUE);
        CREATE TABLE labelled (label_id int NOT NULL REFERENCES labels, item_type text NOT NULL,
          item_id int NOT NULL, PRIMARY KEY (label_id, item_type, item_id));
        INSERT INTO labels (name) SELECT 'l' || i FROM generate_series(1, 6) i;
        INSERT INTO posts (slug) SELECT 'p' || i FROM generate_series(1, 12) i;
        INSERT INTO films (slug) SELECT 'f' || i FROM generate_series(1, 12) i;
        INSERT INTO labelled SELECT 1 + i % 6, 'Post', i FROM generate_series(1, 12) i;
        INSERT INTO labelled SELECT 1 + i % 6, 'Film', i FROM generate_series(1, 12) i;
        """,
        """
        TRUNCATE posts, labelled RESTART IDENTITY;
        INSERT INTO posts (slug) SELECT 'p' || 13 - i FROM generate_series(1, 12) i;
        """,
    )
    held = (
        "SELECT l.name || coalesce(p.slug, f.slug) FROM labelled JOIN labels l ON l.id = label_id "
        "LEFT JOIN posts p ON p.id = item_id AND item_type = 'Post' "
        "LEFT JOIN films f ON f.id = item_id AND item_type = 'Film'"
    )
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.problems)
    found.run("recovery.sql")
    assert _lines(found, held) == _lines(found, held, found.before)


def test_values_of_dropped_columns_do_not_go_to_other_rows(incident: Build) -> None:
    found = incident(CLUBS, f"{AGAIN} ALTER TABLE clubs DROP motto")
    plan = found.plan(columns=True)
    assert not plan.columns
    assert any("motto cannot return" in note for note in plan.notes)


# --- references that nobody declared, or that were overwritten ------------------------------------

SHELVES = """
CREATE TABLE shelf (id serial PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE volume (id int PRIMARY KEY, title text, shelf_id int{});
INSERT INTO shelf (code) SELECT 'S' || i FROM generate_series(1, 4) i;
INSERT INTO volume SELECT i, 'v' || i, 1 + i % 4 FROM generate_series(1, 20) i;
"""
TURNED = """
DELETE FROM shelf; ALTER SEQUENCE shelf_id_seq RESTART;
INSERT INTO shelf (code) VALUES ('S9'), ('S4'), ('S2'), ('S1');
"""
STANDS = "SELECT v.id || ' ' || code FROM volume v JOIN shelf s ON s.id = shelf_id"


def test_references_that_were_emptied_return_onto_the_same_rows(incident: Build) -> None:
    found = incident(SHELVES.format(" REFERENCES shelf ON DELETE SET NULL"), TURNED)
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, plan.problems
    [values] = plan.overwritten
    [column] = values.columns
    # S3 stands nowhere any more: of its five volumes none goes to what has its number.
    assert (column.rows, column.blocked) == (15, 5)
    found.run("recovery.sql")
    came, were = _lines(found, STANDS), _lines(found, STANDS, found.before)
    assert len(came) == 15 and came < were


def test_references_that_nobody_declared_follow_the_row(incident: Build) -> None:
    found = incident(SHELVES.format(""), TURNED + "DELETE FROM volume WHERE id > 8")
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, plan.problems
    [target] = [t for t in plan.targets if t.name.table == "volume"]
    assert (target.rows, target.blocked) == (9, 3)
    found.run("recovery.sql")
    query = f"{STANDS} WHERE v.id > 8"
    came, were = _lines(found, query), _lines(found, query, found.before)
    assert len(came) == 9 and came < were


def test_what_named_nothing_is_not_given_a_row_that_came_since(incident: Build) -> None:
    never = """
        ALTER TABLE members DROP CONSTRAINT members_club_id_fkey;
        INSERT INTO members VALUES (5, 1), (5, 2);
        ALTER TABLE members ADD CONSTRAINT to_club FOREIGN KEY (club_id)
          REFERENCES clubs ON DELETE CASCADE NOT VALID;
    """
    found = incident(CLUBS + never, f"{AGAIN} INSERT INTO clubs (name) VALUES ('golf')")
    counts = _counts(found, "members")
    assert (counts["restorable"], counts["blocked"]) == (15, 7)
    [entry] = [j for j in found.case.loss["junctions"] if j["table"] == "members"]
    assert [note for note in entry["notes"] if "led nowhere" in note and ": 2." in note]
    assert entry["affected"]["clubs"] <= 5
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, plan.problems
    found.run("recovery.sql")
    assert _lines(found, HELD) < _lines(found, HELD, found.before)


def test_links_to_a_row_that_was_replaced_led_somewhere(incident: Build) -> None:
    other = "TRUNCATE clubs RESTART IDENTITY CASCADE;"
    for name in ("oak", "elm", "ash", "yew", "fir"):
        other += f"INSERT INTO clubs (name, motto) VALUES ('{name}', '{name}');"
    found = incident(CLUBS, other)
    [entry] = [j for j in found.case.loss["junctions"] if j["table"] == "members"]
    assert entry["blocked"] == 20
    assert not [note for note in entry["notes"] if "led nowhere" in note]


def test_a_column_named_after_another_table_is_left_alone(incident: Build) -> None:
    more = """
        CREATE TABLE book_shelf (id serial PRIMARY KEY, label text UNIQUE);
        INSERT INTO book_shelf (label) SELECT 'b' || i FROM generate_series(1, 4) i;
        ALTER TABLE volume RENAME shelf_id TO book_shelf_id;
    """
    found = incident(SHELVES.format("") + more, TURNED + "DELETE FROM volume WHERE id > 8")
    found.plan(include_unexplained=True)
    found.run("recovery.sql")
    query = "SELECT id || ' ' || book_shelf_id FROM volume"
    assert _lines(found, query) == _lines(found, query, found.before)


def test_a_child_that_named_nothing_is_not_put_under_who_came_since(incident: Build) -> None:
    """The key is NOT VALID in fees, and nobody declared it in notes; golf has number 9 today."""
    never = """
        CREATE TABLE notes (id serial PRIMARY KEY, club_id int, body text);
        INSERT INTO notes (club_id, body) SELECT CASE WHEN i > 6 THEN 9 ELSE 1 + i % 4 END, 'n' || i
          FROM generate_series(1, 8) i;
        ALTER TABLE fees DROP CONSTRAINT fees_club_id_fkey;
        INSERT INTO fees (club_id, amount, memo) VALUES (9, 1, 'fee of nobody');
        ALTER TABLE fees ADD FOREIGN KEY (club_id) REFERENCES clubs NOT VALID;
    """
    change = "DELETE FROM fees; DELETE FROM notes; INSERT INTO clubs VALUES (9, 'golf', 'g');"
    found = incident(CLUBS + never, change)
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert plan.holds, (plan.problem, plan.problems)
    kept = {target.name.table: (target.rows, target.blocked) for target in plan.targets}
    assert kept == {"fees": (8, 1), "notes": (6, 2)}
    for target in plan.targets:
        assert target.reasons[0][0].endswith("that the backup does not hold either")
    found.run("recovery.sql")
    assert _lines(found, PAID) == _lines(found, PAID, found.before)
    assert found.sql("SELECT count(*) FROM notes WHERE club_id = 9") == "0"


def test_children_of_a_table_whose_name_was_taken_do_not_return(incident: Build) -> None:
    """DROP … CASCADE took the foreign key, too; the numbers mean nothing in the other table."""
    found = incident(
        """
        CREATE TABLE crew (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
        CREATE TABLE shift (id int PRIMARY KEY, crew_id uuid REFERENCES crew, note text);
        INSERT INTO crew (name) SELECT 'crew ' || i FROM generate_series(1, 12) i;
        INSERT INTO shift SELECT row_number() OVER (), id, name FROM crew;
        """,
        """
        DELETE FROM shift WHERE id > 4;
        DROP TABLE crew CASCADE;
        CREATE TABLE crew (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), title text NOT NULL);
        INSERT INTO crew (title) SELECT 'poster ' || i FROM generate_series(1, 12) i;
        """,
    )
    plan = found.plan(include_unexplained=True)
    (shift,) = [target for target in plan.targets if target.name.table == "shift"]
    assert (shift.counts["restorable"], shift.counts["blocked"]) == (0, 8)
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM shift") == "4"
