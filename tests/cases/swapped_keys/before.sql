-- Rows whose keys were exchanged are changed, not missing; a key that was rewritten is missing and added.
CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 50) i;
