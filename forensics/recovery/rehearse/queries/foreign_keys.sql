-- Which foreign keys do these tables have that are said to hold for every row?
-- And are they partitioned, or their parents?
SELECT o.conrelid::regclass::text, o.confrelid::regclass::text, c.relkind = 'p', p.relkind = 'p',
       (SELECT array_agg(a.attname::text ORDER BY k.i)
          FROM unnest(o.conkey) WITH ORDINALITY k(n, i)
          JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.n),
       (SELECT array_agg(a.attname::text ORDER BY k.i)
          FROM unnest(o.confkey) WITH ORDINALITY k(n, i)
          JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.n)
  FROM pg_constraint o
  JOIN pg_class c ON c.oid = o.conrelid JOIN pg_class p ON p.oid = o.confrelid
 WHERE o.contype = 'f' AND o.conparentid = 0 AND o.convalidated
   AND o.conrelid IN (SELECT to_regclass(t) FROM unnest({tables}) t)
 ORDER BY 1, 2, o.conname
