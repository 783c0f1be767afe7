-- Which tables' primary keys have never held an entry? The index has its first file, and that is of
-- one page: the second comes with the first row, and no DELETE or VACUUM takes it away. Where it
-- was made together with the table, the table has never held a row.
SELECT n.nspname AS schema, c.relname AS name, k.xmin = a.xmin AS together
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid AND x.relfilenode = x.oid
  JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = -1
  JOIN pg_catalog.pg_attribute k ON k.attrelid = x.oid AND k.attnum = 1
 WHERE c.relkind = 'r'
   AND c.relfilenode = c.oid
   AND c.relpersistence = 'p'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND pg_catalog.pg_relation_size(x.oid)
       = pg_catalog.current_setting('block_size')::bigint
