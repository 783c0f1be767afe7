-- How many pages has each table, and how many bytes with its long values? -1 where ranges of pages
-- are not read by themselves: another access method may look through all of it for each, and who
-- may read some columns only may not read where a row stands.
SELECT ARRAY(
         SELECT CASE
                  WHEN c.relkind = 'r' AND a.amname = 'heap'
                       AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
                  THEN ARRAY[pg_catalog.pg_relation_size(c.oid)
                               / pg_catalog.current_setting('block_size')::bigint,
                             pg_catalog.pg_table_size(c.oid)]
                  ELSE ARRAY[-1, -1]::bigint[]
                END
           FROM pg_catalog.unnest(ARRAY[{tables}]::pg_catalog.regclass[])
                  WITH ORDINALITY AS asked (oid, n)
           JOIN pg_catalog.pg_class c ON c.oid = asked.oid
           LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
          ORDER BY n) AS pages
