-- By which transaction was each table and sequence made, and does it still have its first file?
-- The catalogue's row of a relation (pg_class) is written anew by GRANT, ANALYZE and ALTER TABLE;
-- those of its system columns are written once, when it is made. A relation's first file bears the
-- number of the relation itself; TRUNCATE and whatever rewrites it give it another.
SELECT n.nspname                                           AS schema,
       c.relname                                           AS name,
       c.relkind::text                                     AS kind,
       c.oid::bigint                                       AS oid,
       CASE WHEN c.relfilenode <> 0
            THEN c.relfilenode = c.oid END                 AS first_file,
       a.xmin::text                                        AS transaction,
       pg_catalog.age(a.xmin)                              AS age
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = -1
 WHERE c.relkind IN ('r', 'p', 'S')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND e.objid = c.oid AND e.deptype = 'e')
 ORDER BY 1, 2
