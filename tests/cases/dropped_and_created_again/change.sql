DROP TABLE emptied, refilled, gone;
CREATE TABLE emptied (id int PRIMARY KEY, v text); CREATE TABLE refilled (v text, id bigint PRIMARY KEY);
INSERT INTO refilled SELECT 'v' || i, i FROM generate_series(21, 60) i;
