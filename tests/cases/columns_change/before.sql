-- Dropped, added, reordered, generated and identity columns; rows are compared on what both sides have.
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text, gone text, loud text GENERATED ALWAYS AS (upper(a)) STORED, n int DEFAULT 3 NOT NULL);
INSERT INTO t (a, gone) SELECT 'a' || i, CASE WHEN i % 4 = 0 THEN NULL ELSE 'g' || i END FROM generate_series(1, 40) i;
CREATE TABLE reordered (id int PRIMARY KEY, a text, b text); INSERT INTO reordered SELECT i, 'a' || i, 'b' || i FROM generate_series(1, 30) i;
