-- How large are the tables that hold rows, their indexes and toasted values included?
SELECT n.nspname AS schema,
       c.relname AS "table",
       (SELECT pg_catalog.sum(pg_catalog.pg_total_relation_size(l.relid))
          FROM (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t
                UNION SELECT c.oid::regclass) l)::bigint AS bytes
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname !~ '^(pg_|information_schema$)'
