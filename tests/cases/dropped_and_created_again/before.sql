-- The same name, another table: what it held is missing whether the new one is empty or refilled.
CREATE TABLE emptied (id int PRIMARY KEY, v text); CREATE TABLE refilled (id int PRIMARY KEY, v text); CREATE TABLE gone (id int PRIMARY KEY, v text);
INSERT INTO emptied SELECT i, 'v' || i FROM generate_series(1, 40) i; INSERT INTO refilled SELECT i, 'v' || i FROM generate_series(1, 40) i;
INSERT INTO gone SELECT i, E'x\t\\' || i FROM generate_series(1, 40) i;
