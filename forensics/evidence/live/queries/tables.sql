-- Which tables are there, of what kind, and what do they belong to?
SELECT n.nspname                             AS schema,
       c.relname                             AS "table",
       c.relkind::text                       AS kind,
       c.relpersistence::text                AS persistence,
       c.relrowsecurity                      AS row_security,
       c.reltuples::float8                   AS rows_estimate,
       coalesce((to_jsonb(c) ->> 'relispartition')::boolean, false) AS is_partition,
       e.extname                             AS extension,
       obj_description(c.oid, 'pg_class')    AS comment,
       (SELECT array_agg(array[pn.nspname::text, p.relname::text] ORDER BY i.inhseqno)
          FROM pg_inherits i
          JOIN pg_class p ON p.oid = i.inhparent
          JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE i.inhrelid = c.oid)           AS parents
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
                       AND d.objsubid = 0 AND d.deptype = 'e'
  LEFT JOIN pg_extension e ON e.oid = d.refobjid
 WHERE c.relkind IN ('r', 'p', 'f', 'm')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname
