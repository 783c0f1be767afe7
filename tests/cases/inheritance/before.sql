-- A table that inherits is a table of its own: its rows are not its parent's.
CREATE TABLE parent (id int PRIMARY KEY, v text); CREATE TABLE child (extra int, PRIMARY KEY (id)) INHERITS (parent);
INSERT INTO parent SELECT i, 'p' FROM generate_series(1, 10) i; INSERT INTO child SELECT i, 'c', i FROM generate_series(1, 20) i;
