-- A type that the kit has never heard of: its text is the value.
CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext; CREATE EXTENSION cube SCHEMA ext; CREATE EXTENSION isn SCHEMA ext;
CREATE TABLE t (id ext.citext PRIMARY KEY, h ext.hstore, l ext.ltree, c ext.cube, i ext.isbn13, hs ext.hstore[]);
INSERT INTO t SELECT 'Id' || i, ext.hstore('k"' || i, CASE WHEN i % 4 = 0 THEN NULL ELSE 'v,' || i END), ('top.' || i)::ext.ltree, ext.cube(i, i / 3.0), '978-0-393-04002-9', array[ext.hstore('a', '=>'), NULL] FROM generate_series(1, 80) i;
