-- When was a file of each table last written to, where this role may ask? Of a table's own files,
-- those of its indexes and its TOAST table the oldest: no table is younger than its oldest file.
SELECT n.nspname AS schema, c.relname AS name,
       min((pg_catalog.pg_stat_file(pg_catalog.pg_relation_filepath(f.oid), true)).modification)
                 AS modified
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN LATERAL (
       SELECT c.oid
        UNION ALL
       SELECT c.reltoastrelid WHERE c.reltoastrelid <> 0
        UNION ALL
       SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid) f ON true
 WHERE pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text, boolean)', 'EXECUTE')
   AND c.relkind = 'r'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 GROUP BY 1, 2
