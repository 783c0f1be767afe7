-- delete-all p
DELETE FROM p;

-- delete-all c
WITH g AS (DELETE FROM c RETURNING *) SELECT * FROM g;

-- delete-all p
EXPLAIN ANALYZE DELETE FROM p;
