-- When was the transaction committed that made each table, where the server keeps such times?
SELECT n.nspname AS schema, c.relname AS name,
       pg_catalog.pg_xact_commit_timestamp(a.xmin) AS committed
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = -1
 WHERE pg_catalog.current_setting('track_commit_timestamp') = 'on'
   AND c.relkind IN ('r', 'p')
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
