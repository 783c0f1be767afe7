-- How large are the tables that hold rows, their indexes and toasted values included? Not by
-- pg_partition_tree, which servers before 12 lack.
WITH RECURSIVE tree AS (
    SELECT c.oid AS root, c.oid, c.relkind
      FROM pg_catalog.pg_class c
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    UNION ALL
    SELECT t.root, c.oid, c.relkind
      FROM tree t
      JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid AND t.relkind = 'p'
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid)
SELECT n.nspname AS schema,
       r.relname AS "table",
       pg_catalog.sum(pg_catalog.pg_total_relation_size(t.oid))::bigint AS bytes
FROM tree t
JOIN pg_catalog.pg_class r ON r.oid = t.root
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname !~ '^(pg_|information_schema$)'
GROUP BY n.nspname, r.relname
