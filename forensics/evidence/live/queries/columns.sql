-- Which columns does each table have, of which types, with which defaults?
SELECT n.nspname                                        AS schema,
       c.relname                                        AS "table",
       a.attname                                        AS name,
       format_type(a.atttypid, a.atttypmod)             AS type,
       NOT a.attnotnull                                 AS nullable,
       pg_get_expr(d.adbin, d.adrelid)                  AS expression,
       coalesce(to_jsonb(a) ->> 'attgenerated', '')     AS generated,
       coalesce(to_jsonb(a) ->> 'attidentity', '')      AS identity
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p', 'f', 'm')
   AND c.relpersistence <> 't'
   AND a.attnum > 0
   AND NOT a.attisdropped
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname, a.attnum
