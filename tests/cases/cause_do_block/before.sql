CREATE TABLE old_logs (id int PRIMARY KEY, t text);
CREATE TABLE settings (name text PRIMARY KEY, value text);
CREATE TABLE spared (id int PRIMARY KEY);
INSERT INTO old_logs SELECT i, 'log ' || i FROM generate_series(1, 25) i;
INSERT INTO settings VALUES ('keep', 'yes'), ('legacy.a', '1'), ('legacy.b', '2');
INSERT INTO spared SELECT generate_series(1, 5);
CREATE FUNCTION tidy_name(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT t';
