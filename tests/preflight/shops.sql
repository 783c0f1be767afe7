-- Shops with what is on their shelves: the database that the migrations of `cases.py` run on.
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE shops (id int PRIMARY KEY, code text, open boolean NOT NULL, rent numeric(10, 2),
    feels mood, opened timestamp);
CREATE TABLE shelves (id int PRIMARY KEY, shop_id int REFERENCES shops (id) ON DELETE CASCADE,
    note text);
CREATE TABLE goods (id int PRIMARY KEY, shelf_id int REFERENCES shelves (id) ON DELETE CASCADE,
    name varchar(40));
CREATE TABLE leases (id int PRIMARY KEY, shop_id int REFERENCES shops (id));
CREATE TABLE signs (id int PRIMARY KEY, shop_id int REFERENCES shops (id) ON DELETE SET NULL);
CREATE TABLE people (id int PRIMARY KEY, boss int REFERENCES people (id), name text);
CREATE TABLE lone (id int PRIMARY KEY, n text, big bigint);
INSERT INTO shops SELECT i, nullif('c' || i % 15, 'c0'), i % 4 > 0, i * 1.25, (array['sad',
    'ok', NULL])[1 + i % 3]::mood,
    timestamp '2026-01-01' + i * interval '12 hours' FROM generate_series(1, 20) i;
INSERT INTO shelves SELECT i, 1 + i % 20, nullif('n' || i % 2, 'n0') FROM generate_series(1, 60) i;
INSERT INTO goods SELECT i, 1 + i % 60, 'good ' || i FROM generate_series(1, 240) i;
INSERT INTO leases VALUES (1, 1), (2, 2), (3, 2), (4, NULL);
INSERT INTO signs SELECT i, i FROM generate_series(1, 20) i;
INSERT INTO people SELECT i, nullif(i / 2, 0), 'p' FROM generate_series(1, 8) i;
CREATE SCHEMA old;
CREATE TABLE old.shops (id int PRIMARY KEY, code text);
CREATE TABLE folders (id int PRIMARY KEY, up int REFERENCES folders (id) ON DELETE CASCADE);
CREATE TABLE assets (id int PRIMARY KEY, place text);
CREATE TABLE photos (taken date) INHERITS (assets);
CREATE DOMAIN price AS numeric;
CREATE EXTENSION citext;
CREATE TABLE dishes (id int PRIMARY KEY, costs price, tag citext, CONSTRAINT dear CHECK (id < 100));
CREATE VIEW menu AS SELECT id, tag FROM dishes;
CREATE VIEW short_menu AS SELECT m.id FROM menu m JOIN dishes USING (id);
CREATE VIEW specials AS SELECT s.id FROM short_menu s JOIN dishes USING (id);
CREATE TABLE tills (id int PRIMARY KEY, n int);
CREATE RULE follow AS ON DELETE TO tills DO ALSO DELETE FROM dishes WHERE id = old.n;
CREATE TABLE log (id int PRIMARY KEY);
CREATE TABLE notes (id int PRIMARY KEY, seen timestamptz);
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN DELETE FROM log WHERE id = OLD.id; RETURN OLD; END';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN NEW.seen := now(); RETURN NEW; END';
CREATE TRIGGER forget AFTER DELETE ON notes FOR EACH ROW EXECUTE FUNCTION forget();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION purge() RETURNS int LANGUAGE plpgsql
    AS 'BEGIN DELETE FROM goods WHERE id > 200; RETURN 1; END';
CREATE FUNCTION purge_twice() RETURNS int LANGUAGE sql AS 'DELETE FROM lone; SELECT purge()';
CREATE FUNCTION lay_off() RETURNS void
    LANGUAGE sql BEGIN ATOMIC DELETE FROM people WHERE id > 3; END;
CREATE FUNCTION lay_off(start int) RETURNS void LANGUAGE sql
    AS 'DELETE FROM leases WHERE id > start';
DO $$ BEGIN CREATE ROLE keeper; EXCEPTION WHEN duplicate_object THEN END $$;
CREATE TABLE diary (id int PRIMARY KEY);
ALTER TABLE diary OWNER TO keeper;
INSERT INTO old.shops VALUES (1, 'a'), (2, NULL), (3, 'c');
INSERT INTO folders SELECT i, nullif(i / 2, 0) FROM generate_series(1, 15) i;
INSERT INTO assets SELECT i, 'a' FROM generate_series(1, 5) i;
INSERT INTO photos SELECT i, 'p', '2026-01-01' FROM generate_series(11, 16) i;
INSERT INTO dishes SELECT i, i, nullif('t' || i, 't1') FROM generate_series(1, 9) i;
ALTER TABLE dishes ADD CONSTRAINT cheap CHECK (costs < 8) NOT VALID;
INSERT INTO notes SELECT generate_series(1, 9);
INSERT INTO log SELECT generate_series(1, 9);
INSERT INTO diary SELECT generate_series(1, 4);
INSERT INTO tills VALUES (1, 1);
CREATE TABLE firms (id int PRIMARY KEY);
CREATE TABLE teams (id int PRIMARY KEY, firm int REFERENCES firms ON DELETE CASCADE);
CREATE TABLE staff (id int PRIMARY KEY, firm int REFERENCES firms ON DELETE CASCADE,
    boss int REFERENCES staff ON DELETE CASCADE,
    desk int REFERENCES teams ON DELETE SET NULL, home int REFERENCES teams);
CREATE TABLE team_staff (id int PRIMARY KEY, team int REFERENCES teams ON DELETE CASCADE,
    person int REFERENCES staff ON DELETE CASCADE, role text);
CREATE TABLE badges (id int PRIMARY KEY, team_staff int REFERENCES team_staff ON DELETE CASCADE);
INSERT INTO firms SELECT generate_series(1, 4);
INSERT INTO teams SELECT i, 1 + i % 4 FROM generate_series(1, 20) i;
INSERT INTO staff SELECT i, 1 + i % 4, CASE WHEN i % 8 = 7 THEN i - 1 END, 1 + i % 20,
    CASE WHEN i % 4 = 1 THEN 1 END FROM generate_series(1, 60) i;
INSERT INTO team_staff SELECT i, 1 + i * 7 % 20, 1 + i % 60, 'r' || i % 3
    FROM generate_series(1, 180) i;
INSERT INTO badges SELECT i, 1 + i % 180 FROM generate_series(1, 200) i;
INSERT INTO lone SELECT i, CASE i % 3 WHEN 0 THEN 'x' || i ELSE i::text END,
    i * 1000000000::bigint FROM generate_series(1, 9) i;
