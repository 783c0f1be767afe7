CREATE TABLE cache (id int PRIMARY KEY, query text, hits int, note text);
INSERT INTO cache SELECT i, nullif('q' || i % 3, 'q0'), nullif(i % 4, 0), 'n' FROM generate_series(1, 24) i;
