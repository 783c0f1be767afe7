-- Which foreign keys are declared? Those that a partition inherits from its parent are left out.
SELECT n.nspname                                        AS schema,
       c.relname                                        AS "table",
       o.conname                                        AS name,
       pn.nspname                                       AS parent_schema,
       p.relname                                        AS parent_table,
       o.confdeltype::text                              AS on_delete,
       o.confupdtype::text                              AS on_update,
       coalesce((to_jsonb(o) ->> 'conenforced')::boolean, true) AS enforced,
       (SELECT array_agg(a.attname::text ORDER BY k.n)
          FROM jsonb_array_elements_text(
                 CASE jsonb_typeof(to_jsonb(o) -> 'confdelsetcols')
                      WHEN 'array' THEN to_jsonb(o) -> 'confdelsetcols' END
               ) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.attnum::smallint)
                                                        AS empties,
       (SELECT array_agg(a.attname::text ORDER BY k.n)
          FROM unnest(o.conkey) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.attnum)  AS columns,
       (SELECT array_agg(a.attname::text ORDER BY k.n)
          FROM unnest(o.confkey) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.attnum) AS parent_columns
  FROM pg_constraint o
  JOIN pg_class c ON c.oid = o.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class p ON p.oid = o.confrelid
  JOIN pg_namespace pn ON pn.oid = p.relnamespace
 WHERE o.contype = 'f'
   AND coalesce((to_jsonb(o) ->> 'conparentid')::oid, 0) = 0
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname, o.conname
