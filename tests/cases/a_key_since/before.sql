-- The backup declares no key and repeats what became one; live has a key on every table.
CREATE TABLE t (id int, v text); INSERT INTO t SELECT i % 20, 'v' || i % 20 FROM generate_series(1, 30) i;
