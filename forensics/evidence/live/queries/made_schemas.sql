-- Which schemas are there, by their object ids?
SELECT n.nspname AS schema, n.oid::bigint AS oid
  FROM pg_catalog.pg_namespace n
 WHERE n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY 1
