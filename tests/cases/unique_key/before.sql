-- A unique constraint on columns that cannot be NULL is a key; partial, deferrable and nullable ones are none.
CREATE TABLE named (code text NOT NULL UNIQUE, v int);
CREATE TABLE nullable (code text UNIQUE, v int);
CREATE TABLE deferred (code text NOT NULL UNIQUE DEFERRABLE, v int);
CREATE TABLE partial (code text NOT NULL, v int);
CREATE UNIQUE INDEX ON partial (code) WHERE v > 0;
CREATE TABLE together (code text UNIQUE NULLS NOT DISTINCT, v int);
INSERT INTO named VALUES ('a', 1), ('b', 2); INSERT INTO nullable VALUES ('a', 1), (NULL, 2), (NULL, 3);
INSERT INTO deferred VALUES ('a', 1), ('b', 2); INSERT INTO partial VALUES ('a', 1), ('a', -1); INSERT INTO together VALUES (NULL, 1), ('a', 2);
