-- Which tables can the role that asks not read, or not whole?
SELECT n.nspname                                              AS schema,
       c.relname                                              AS "table",
       has_schema_privilege(n.oid, 'USAGE')                   AS usage,
       has_table_privilege(c.oid, 'SELECT')
         OR has_any_column_privilege(c.oid, 'SELECT')
            AND NOT EXISTS (SELECT 1 FROM pg_attribute a
                             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                               AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT'))
                                                              AS readable,
       row_security_active(c.oid)                             AS filtered
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND NOT (has_schema_privilege(n.oid, 'USAGE')
            AND has_table_privilege(c.oid, 'SELECT')
            AND NOT row_security_active(c.oid))
 ORDER BY 1, 2
