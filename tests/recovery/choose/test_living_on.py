"""Rows that live on under other keys or in other tables: none is lost, and none written twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.recovery.conftest import Incident, left

Build = Callable[..., Incident]


def links(found: Incident, table: str) -> tuple[int, int, int, int]:
    """Missing, moved, superseded and lost links of a junction table."""
    for entry in found.case.loss["junctions"]:
        if entry["table"] == table:
            return entry["missing"], entry["moved"], entry["superseded"], entry["lost"]
    raise AssertionError(f"{table} is no junction table: {found.case.loss['junctions']}")


def said(found: Incident, kind: str) -> dict[str, tuple[Any, Any]]:
    findings = found.case.store.get("findings")
    return {f["name"]["table"]: (f["rows"], f["of"]) for f in findings if f["kind"] == kind}


def recovered(found: Incident) -> dict[str, dict[str, int]]:
    """Recover everything that can be; return the classes of each table's missing rows."""
    plan = found.plan(include_unexplained=True)
    found.run("recovery.sql")
    classes = {}
    for target in plan.targets:
        classes[target.name.table] = {name: n for name, n in target.counts.items() if n}
    return classes


def test_numbers_that_became_uuids_with_nothing_declared(incident: Build) -> None:
    """Firms have no unique name, contacts refer to them, a tree to itself; two links are gone."""
    before = """
        CREATE TABLE firm (id serial PRIMARY KEY, title text, city text);
        CREATE TABLE tag (id serial PRIMARY KEY, label text UNIQUE, tag_id int);
        CREATE TABLE contact (id serial PRIMARY KEY, firm_id int REFERENCES firm, mail text);
        CREATE TABLE firm_tag (id serial PRIMARY KEY, firm_id int NOT NULL, tag_id int NOT NULL,
          added_at timestamptz DEFAULT '2026-01-01 10:00Z');
        INSERT INTO firm (title, city) SELECT 'firm ' || i, 'city ' || i % 3
          FROM generate_series(1, 8) i;
        INSERT INTO tag (label) SELECT 'tag ' || i FROM generate_series(1, 5) i;
        INSERT INTO contact (firm_id, mail) SELECT 1 + i % 8, 'info@x.test'
          FROM generate_series(1, 16) i;
        INSERT INTO firm_tag (firm_id, tag_id) SELECT f, t
          FROM generate_series(1, 8) f, generate_series(1, 5) t WHERE (f + t) % 2 = 0;
    """
    change = """
        DELETE FROM firm_tag WHERE id IN (3, 4);
        ALTER TABLE contact DROP CONSTRAINT contact_firm_id_fkey;
        ALTER TABLE firm ADD u uuid DEFAULT gen_random_uuid();
        ALTER TABLE tag ADD u uuid DEFAULT gen_random_uuid();
        ALTER TABLE contact ADD u uuid DEFAULT gen_random_uuid(), ADD f uuid;
        UPDATE contact c SET f = x.u FROM firm x WHERE x.id = c.firm_id;
        ALTER TABLE firm_tag ADD f uuid, ADD t uuid, ADD u uuid DEFAULT gen_random_uuid();
        UPDATE firm_tag j SET f = (SELECT u FROM firm WHERE id = j.firm_id),
                              t = (SELECT u FROM tag WHERE id = j.tag_id);
        ALTER TABLE firm DROP id; ALTER TABLE firm RENAME u TO id;
        ALTER TABLE firm ADD PRIMARY KEY (id);
        ALTER TABLE tag DROP id; ALTER TABLE tag RENAME u TO id;
        ALTER TABLE tag ADD PRIMARY KEY (id);
        ALTER TABLE contact DROP id, DROP firm_id; ALTER TABLE contact RENAME u TO id;
        ALTER TABLE contact RENAME f TO firm_id; ALTER TABLE contact ADD PRIMARY KEY (id);
        ALTER TABLE firm_tag DROP id, DROP firm_id, DROP tag_id;
        ALTER TABLE firm_tag RENAME u TO id; ALTER TABLE firm_tag RENAME f TO firm_id;
        ALTER TABLE firm_tag RENAME t TO tag_id; ALTER TABLE firm_tag ADD PRIMARY KEY (id);
    """
    found = incident(before, change)
    assert links(found, "firm_tag") == (20, 0, 18, 2)
    recovered(found)
    for table, rows in (("firm", "8"), ("tag", "5"), ("contact", "16"), ("firm_tag", "18")):
        assert found.sql(f"SELECT count(*) FROM {table}") == rows, table


def test_texts_that_became_other_texts(incident: Build) -> None:
    """Firms are told by title and city, contacts by whom they belong to; a tree refers to itself.

    Of 16 links two are gone, and a firm was really deleted with its contacts.
    """
    before = """
        CREATE TABLE firm (id text PRIMARY KEY, title text, city text);
        CREATE TABLE tag (id text PRIMARY KEY, label text, above text REFERENCES tag);
        CREATE TABLE contact (id text PRIMARY KEY, firm_id text REFERENCES firm, mail text);
        CREATE TABLE firm_tag (id text PRIMARY KEY, firm_id text NOT NULL REFERENCES firm,
          tag_id text NOT NULL REFERENCES tag);
        INSERT INTO firm SELECT 'f' || i, 'firm ' || i, 'city ' || i % 3
          FROM generate_series(1, 8) i;
        INSERT INTO tag SELECT 't' || i, 'tag ' || i % 3, CASE WHEN i > 3 THEN 't' || i - 3 END
          FROM generate_series(1, 6) i;
        INSERT INTO contact SELECT 'c' || i, 'f' || 1 + i % 8, 'info@x.test'
          FROM generate_series(1, 8) i;
        INSERT INTO firm_tag SELECT f || '-' || t, 'f' || f, 't' || t
          FROM generate_series(1, 8) f, generate_series(1, 6) t WHERE (f + t) % 3 = 0;
    """
    change = """
        DELETE FROM firm_tag WHERE id IN ('1-2', '2-1'); DELETE FROM firm_tag WHERE firm_id = 'f8';
        DELETE FROM contact WHERE firm_id = 'f8'; DELETE FROM firm WHERE id = 'f8';
        ALTER TABLE contact DROP CONSTRAINT contact_firm_id_fkey;
        ALTER TABLE tag DROP CONSTRAINT tag_above_fkey;
        ALTER TABLE firm_tag DROP CONSTRAINT firm_tag_firm_id_fkey,
          DROP CONSTRAINT firm_tag_tag_id_fkey;
        UPDATE firm SET id = md5(id); UPDATE contact SET id = md5(id), firm_id = md5(firm_id);
        UPDATE tag SET id = md5(id), above = md5(above);
        UPDATE firm_tag SET id = md5(id), firm_id = md5(firm_id), tag_id = md5(tag_id);
        ALTER TABLE contact ADD FOREIGN KEY (firm_id) REFERENCES firm;
        ALTER TABLE firm_tag ADD FOREIGN KEY (firm_id) REFERENCES firm,
          ADD FOREIGN KEY (tag_id) REFERENCES tag;
    """
    found = incident(before, change)
    assert links(found, "firm_tag") == (16, 0, 12, 4)
    classes = recovered(found)
    assert classes["firm"] == {"restorable": 1, "superseded": 7}
    assert "tag" not in classes  # there is nothing to bring back, and nothing left behind
    assert left(found.plan()) == {"contact": 1, "firm": 1, "firm_tag": 4}
    assert classes["contact"] == {"restorable": 1, "superseded": 7}
    counts = "SELECT (SELECT count(*) FROM firm), (SELECT count(*) FROM contact)"
    assert found.sql(counts) == "8|8"
    assert found.sql("SELECT count(*) FROM tag") == "6"
    # Those that were deleted name the firms and tags of today.
    named = (
        "SELECT count(*) FROM firm_tag JOIN firm f ON f.id = firm_id JOIN tag t ON t.id = tag_id"
    )
    assert found.sql(named) == "16"
    assert found.sql("SELECT count(*) FROM firm_tag") == "16"


def test_sets_that_are_saved_anew(incident: Build) -> None:
    """Lines of invoices 1 to 3 were deleted and inserted again; two stayed away, one is new."""
    before = """
        CREATE TABLE invoice (id int PRIMARY KEY, no text UNIQUE);
        CREATE TABLE line (id serial PRIMARY KEY, invoice_id int REFERENCES invoice, what text,
          price numeric(8,2), updated_at timestamptz DEFAULT '2026-01-01 10:00Z');
        INSERT INTO invoice SELECT i, 'R' || i FROM generate_series(1, 6) i;
        INSERT INTO line (invoice_id, what, price)
          SELECT i, 'item ' || k, k * 1.5 FROM generate_series(1, 6) i, generate_series(1, 4) k;
    """
    change = """
        CREATE TEMP TABLE held AS SELECT * FROM line WHERE invoice_id < 4;
        DELETE FROM line WHERE invoice_id < 4;
        INSERT INTO line (invoice_id, what, price, updated_at)
          SELECT invoice_id, what, price, '2026-02-01Z' FROM held
           WHERE NOT (invoice_id = 2 AND what IN ('item 1', 'item 2'));
        INSERT INTO line (invoice_id, what, price) VALUES (2, 'item 9', 1.5);
    """
    found = incident(before, change)
    assert said(found, "superseded rows") == {"line": (10, 12)}
    assert recovered(found)["line"] == {"restorable": 2, "superseded": 10}
    twice = "SELECT count(*) - count(DISTINCT (invoice_id, what)) FROM line"
    assert found.sql(twice) == "0"
    assert found.sql("SELECT count(*) FROM line") == "25"


def test_new_rows_that_resemble_old_ones_are_others(incident: Build) -> None:
    """Jobs say little; what was deleted is not there because others look like it."""
    before = """
        CREATE TABLE job (id serial PRIMARY KEY, state text, is_urgent boolean);
        CREATE TABLE person (id serial PRIMARY KEY, name text, born date);
        INSERT INTO job (state, is_urgent) SELECT (array['done', 'open'])[1 + i % 2], false
          FROM generate_series(1, 20) i;
        INSERT INTO person (name, born) SELECT 'p' || i, date '1990-01-01' + i
          FROM generate_series(1, 20) i;
    """
    change = """
        DELETE FROM job WHERE id <= 6; INSERT INTO job (state, is_urgent)
          SELECT 'done', false FROM generate_series(1, 9);
        DELETE FROM person WHERE id <= 6;
        INSERT INTO person (name, born) SELECT 'p' || i, date '2001-01-01' + i
          FROM generate_series(1, 6) i;
    """
    found = incident(before, change)
    assert said(found, "superseded rows") == {}
    classes = recovered(found)
    assert classes["job"] == {"restorable": 6}
    assert classes["person"] == {"restorable": 6}


def test_a_row_under_another_key_that_says_something_else_is_in_the_way(incident: Build) -> None:
    before = """
        CREATE TABLE member (id serial PRIMARY KEY, mail text UNIQUE, plan text);
        INSERT INTO member (mail, plan) SELECT 'm' || i, 'gold' FROM generate_series(1, 5) i;
    """
    change = """
        DELETE FROM member WHERE id < 4;
        INSERT INTO member (mail, plan) VALUES ('m1', 'gold'), ('m2', 'free');
    """
    found = incident(before, change)
    assert said(found, "superseded rows") == {"member": (2, 3)}
    assert any("1 of them with other values" in text for text in found.case.findings.text)
    classes = recovered(found)
    assert classes["member"] == {"restorable": 1, "superseded": 1, "conflicting": 1}


def test_chunks_that_were_cut_anew(incident: Build) -> None:
    """Eight rows a chunk became five and eleven under other names; one row is gone."""
    before = """
        CREATE SCHEMA inner_part;
        CREATE TABLE reading (at timestamptz NOT NULL, probe int, v float8);
        CREATE TABLE inner_part.c_1 () INHERITS (reading);
        CREATE TABLE inner_part.c_2 () INHERITS (reading);
        INSERT INTO inner_part.c_1 SELECT timestamptz '2026-01-01Z' + i * interval '1h', i, i / 4.0
          FROM generate_series(1, 8) i;
        INSERT INTO inner_part.c_2 SELECT timestamptz '2026-01-01Z' + i * interval '1h', i, i / 4.0
          FROM generate_series(9, 16) i;
    """
    change = """
        CREATE TABLE inner_part.c_7 () INHERITS (reading);
        CREATE TABLE inner_part.c_8 () INHERITS (reading);
        INSERT INTO inner_part.c_7 SELECT * FROM reading WHERE probe <= 5;
        INSERT INTO inner_part.c_8 SELECT * FROM ONLY inner_part.c_1 WHERE probe > 5;
        INSERT INTO inner_part.c_8 SELECT * FROM ONLY inner_part.c_2 WHERE probe < 16;
        DROP TABLE inner_part.c_1, inner_part.c_2;
    """
    found = incident(before, change)
    found.plan(include_unexplained=True)
    found.run("recovery.sql")
    assert found.sql("SELECT count(*), count(DISTINCT probe) FROM reading") == "16|16"


def test_rows_that_went_from_the_table_into_an_heir(incident: Build) -> None:
    before = """
        CREATE TABLE event (id int PRIMARY KEY, kind text);
        INSERT INTO event SELECT i, 'k' || i FROM generate_series(1, 9) i;
    """
    change = """
        CREATE TABLE event_old (PRIMARY KEY (id)) INHERITS (event);
        WITH gone AS (DELETE FROM ONLY event WHERE id < 6 RETURNING *)
          INSERT INTO event_old SELECT * FROM gone WHERE id < 5;
        UPDATE event_old SET kind = 'other' WHERE id = 4;
    """
    found = incident(before, change)
    assert said(found, "moved rows") == {"event": (4, 5)}
    assert recovered(found)["event"] == {"restorable": 1, "moved": 3, "conflicting": 1}
    assert found.sql("SELECT count(*), count(DISTINCT id) FROM event") == "9|9"


def test_links_in_an_heir_and_keys_that_heirs_share(incident: Build) -> None:
    """Links went from a table into its heir; a note's key means another row in the heir."""
    before = """
        CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
        CREATE TABLE ab (a_id int NOT NULL REFERENCES a, b_id int NOT NULL REFERENCES b,
          PRIMARY KEY (a_id, b_id));
        CREATE TABLE ab_old () INHERITS (ab);
        CREATE TABLE note (id int PRIMARY KEY, v text);
        CREATE TABLE note_late (PRIMARY KEY (id)) INHERITS (note);
        INSERT INTO a SELECT generate_series(1, 6); INSERT INTO b SELECT generate_series(1, 6);
        INSERT INTO ab SELECT i, 1 + i % 6 FROM generate_series(1, 6) i;
        INSERT INTO note SELECT i, 'n' || i FROM generate_series(1, 6) i;
        INSERT INTO note_late SELECT i, 'l' || i FROM generate_series(1, 4) i;
    """
    change = """
        INSERT INTO ab_old SELECT * FROM ONLY ab WHERE a_id < 5; DELETE FROM ONLY ab;
        DELETE FROM ONLY note WHERE id > 4;
        INSERT INTO note_late VALUES (5, 'another'), (6, 'one more');
    """
    found = incident(before, change)
    assert links(found, "ab") == (6, 4, 0, 2)
    classes = recovered(found)
    assert classes["ab"] == {"restorable": 2, "moved": 4}
    assert classes["note"] == {"restorable": 2}
    assert found.sql("SELECT count(*), count(DISTINCT (a_id, b_id)) FROM ab") == "6|6"


def test_a_link_table_under_another_name_is_told_the_same_by_all(incident: Build) -> None:
    """Nothing is declared, and the columns of the ends are named after roles."""
    before = """
        CREATE TABLE account (id int PRIMARY KEY, nick text);
        CREATE TABLE follows (account_id int NOT NULL REFERENCES account,
          other_id int NOT NULL REFERENCES account, PRIMARY KEY (account_id, other_id));
        INSERT INTO account SELECT i, 'n' || i FROM generate_series(1, 12) i;
        INSERT INTO follows SELECT i, 1 + i % 11 FROM generate_series(1, 10) i;
    """
    change = """
        CREATE TABLE watchers AS TABLE follows; DROP TABLE follows;
        DELETE FROM watchers WHERE account_id = 10;
    """
    found = incident(before, change)
    assert said(found, "renamed table") == {"follows": (9, 10)}
    assert links(found, "follows") == (10, 9, 0, 1)


def test_links_that_say_old_keys_under_another_name(incident: Build) -> None:
    """The links' table has another name, and one parent other keys: they are all there."""
    before = """
        CREATE TABLE users (id int PRIMARY KEY, n text); CREATE TABLE roles (id int PRIMARY KEY);
        CREATE TABLE user_roles (user_id int, role_id int);
        INSERT INTO users SELECT i, 'u' || i FROM generate_series(1, 22) i;
        INSERT INTO roles SELECT generate_series(1, 4);
        INSERT INTO user_roles SELECT i, 1 + i % 4 FROM generate_series(1, 22) i;
    """
    change = """
        ALTER TABLE user_roles RENAME TO x_links; UPDATE users SET id = id + 100;
    """
    found = incident(before, change)
    assert said(found, "renamed table") == {"user_roles": (22, 22)}
    assert links(found, "user_roles") == (22, 22, 0, 0)
    plan = found.plan()
    assert (plan.targets, left(plan)) == ((), {})


def test_a_code_in_the_place_of_a_number(incident: Build) -> None:
    """The link's column holds the parent's code now, under another name; two links are gone."""
    before = """
        CREATE TABLE country (id int PRIMARY KEY, iso text NOT NULL UNIQUE, name text);
        CREATE TABLE shop (id int PRIMARY KEY, name text);
        CREATE TABLE shop_country (shop_id int REFERENCES shop, country_id int REFERENCES country,
          PRIMARY KEY (shop_id, country_id));
        INSERT INTO country SELECT i, 'C' || i, 'land ' || i FROM generate_series(1, 9) i;
        INSERT INTO shop SELECT i, 'shop ' || i FROM generate_series(1, 4) i;
        INSERT INTO shop_country SELECT s, c FROM shop x(s), country y(c) WHERE (s + c) % 2 = 0;
    """
    change = """
        ALTER TABLE shop_country ADD country_iso text REFERENCES country (iso);
        UPDATE shop_country j SET country_iso = c.iso FROM country c WHERE c.id = j.country_id;
        DELETE FROM shop_country WHERE shop_id = 1 AND country_id < 4;
        ALTER TABLE shop_country DROP country_id;
        ALTER TABLE shop_country ADD PRIMARY KEY (shop_id, country_iso);
    """
    found = incident(before, change)
    # Rows were held against each other by the shop alone, so that two are missing: these.
    assert links(found, "shop_country") == (2, 0, 0, 2)
    rows = found.case.table("shop_country").missing
    assert sorted(zip(rows.shop_id, rows.country_id, strict=True)) == [("1", "1"), ("1", "3")]


def test_rows_that_may_have_been_edited_besides_are_blocked(incident: Build) -> None:
    """All keys are new, nothing is unique: three stations were edited too, one is really gone."""
    before = """
        CREATE TABLE station (id int PRIMARY KEY, name text, note text, height int);
        INSERT INTO station SELECT i, 'station ' || i, 'note ' || i % 4, i * 7
          FROM generate_series(1, 20) i;
    """
    change = """
        UPDATE station SET id = id + 500;
        UPDATE station SET note = note || '!' WHERE id IN (503, 504, 505);
        DELETE FROM station WHERE id = 511;
        INSERT INTO station VALUES (600, 'a new one', 'note 3', 1);
    """
    found = incident(before, change)
    plan = found.plan(include_unexplained=True)
    (stay,) = [one for one in plan.stays if one.kind == "blocked"]
    assert "live may hold it under another key" in stay.reason
    (text,) = [f["text"] for f in found.case.store.get("findings") if "edited" in f["text"]]
    assert text.startswith("16 of the 20 missing rows of station live on")
    assert "3 more may be rows that were edited besides" in text
    assert recovered(found) == {"station": {"superseded": 16, "blocked": 3, "restorable": 1}}
    assert found.sql("SELECT count(*) FROM station") == "21"


def test_most_of_a_rewritten_table_may_be_gone_besides(incident: Build) -> None:
    """All keys are new, and 12 of 20 were deleted then; one that stayed was edited too."""
    before = """
        CREATE TABLE station (id int PRIMARY KEY, name text, note text, height int);
        INSERT INTO station SELECT i, 'station ' || i, 'note ' || i % 4, i * 7
          FROM generate_series(1, 20) i;
    """
    change = """
        UPDATE station SET id = id + 500;
        DELETE FROM station WHERE id > 508;
        UPDATE station SET note = note || '!' WHERE id = 503;
    """
    found = incident(before, change)
    assert recovered(found) == {"station": {"superseded": 7, "blocked": 1, "restorable": 12}}
    assert found.sql("SELECT count(*) FROM station WHERE name = 'station 3'") == "1"
