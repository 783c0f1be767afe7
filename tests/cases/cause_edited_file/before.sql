CREATE TABLE a (id int PRIMARY KEY);
INSERT INTO a SELECT generate_series(1, 7);
