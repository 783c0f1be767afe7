ALTER TABLE t DROP COLUMN gone, ADD COLUMN fresh int DEFAULT 1, ALTER COLUMN n TYPE bigint, ALTER COLUMN n DROP NOT NULL, ALTER COLUMN n SET DEFAULT 4;
UPDATE t SET fresh = 7 WHERE id = 1; UPDATE t SET a = 'x' WHERE id = 2; DELETE FROM t WHERE id = 3;
DROP TABLE reordered; CREATE TABLE reordered (b text, id int PRIMARY KEY, a text);
INSERT INTO reordered SELECT 'b' || i, i, 'a' || i FROM generate_series(1, 29) i;
