-- Which indexes can tell rows apart? Unique, valid, immediate, whole, on plain columns; included
-- columns left out.
SELECT n.nspname                                        AS schema,
       c.relname                                        AS "table",
       ic.relname                                       AS name,
       i.indisprimary                                   AS "primary",
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct,
       (SELECT array_agg(a.attname::text ORDER BY k.n)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
         WHERE k.n <= coalesce((to_jsonb(i) ->> 'indnkeyatts')::int, i.indnatts)) AS columns
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indisunique
   AND i.indimmediate
   AND i.indisvalid
   AND i.indpred IS NULL
   AND i.indexprs IS NULL
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname, i.indisprimary DESC, ic.relname
