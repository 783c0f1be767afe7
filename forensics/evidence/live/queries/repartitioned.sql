-- Has a partitioned table other partitions now than the snapshot shows? A query reads those of now.
WITH RECURSIVE tree AS (
    SELECT {table}::pg_catalog.regclass::oid AS oid
    UNION ALL
    SELECT i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid)
SELECT EXISTS (SELECT p.relid::oid FROM pg_catalog.pg_partition_tree({table}) p
               EXCEPT
               SELECT t.oid FROM tree t)
    OR EXISTS (SELECT t.oid FROM tree t
               EXCEPT
               SELECT p.relid::oid FROM pg_catalog.pg_partition_tree({table}) p)
