-- Does a relation, or a partition of it, no longer hold the rows that the snapshot shows?
-- TRUNCATE and an ALTER TABLE that rewrites give it a new file, in which older snapshots see
-- nothing; so does a table that was dropped and made again. The catalogue's row is the snapshot's;
-- the function's answer is of now.
WITH RECURSIVE tree AS (
    SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = {table}::pg_catalog.regclass
    UNION ALL
    SELECT i.inhrelid
      FROM tree t
      JOIN pg_catalog.pg_class p ON p.oid = t.oid AND p.relkind = 'p'
      JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid)
SELECT count(*) = 0
       OR bool_or(c.relkind IN ('r', 'm')
                  AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid))
  FROM tree t
  JOIN pg_catalog.pg_class c ON c.oid = t.oid
