-- How many pages has a table, and how many bytes with its long values? Nothing where runs of pages
-- are not read by themselves: another access method may look through all of it for each, and who
-- may read some columns only may not read where a row stands.
SELECT (SELECT ARRAY[pg_catalog.pg_relation_size(c.oid)
                       / pg_catalog.current_setting('block_size')::bigint,
                     pg_catalog.pg_table_size(c.oid)]
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_am a ON a.oid = c.relam
         WHERE c.oid = {table}::pg_catalog.regclass
           AND c.relkind = 'r'
           AND a.amname = 'heap'
           AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
