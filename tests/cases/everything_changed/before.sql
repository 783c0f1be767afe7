-- A column that an UPDATE touched in every row; a table emptied; a table filled.
CREATE TABLE touched (id int PRIMARY KEY, v int); CREATE TABLE emptied (id int PRIMARY KEY, v text); CREATE TABLE filled (id int PRIMARY KEY); CREATE TABLE bare ();
INSERT INTO touched SELECT i, 0 FROM generate_series(1, 3000) i; INSERT INTO emptied SELECT i, repeat('x', i % 50) FROM generate_series(1, 3000) i;
INSERT INTO bare SELECT FROM generate_series(1, 5);
