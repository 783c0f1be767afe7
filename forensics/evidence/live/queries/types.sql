-- Which enums, domains, composite types and ranges are there, and what are they made of?
SELECT format_type(t.oid, NULL)                         AS name,
       t.typtype::text                                  AS kind,
       CASE t.typtype
         WHEN 'e' THEN (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
                          FROM pg_enum e WHERE e.enumtypid = t.oid)
         WHEN 'd' THEN array[format_type(t.typbasetype, t.typtypmod)]
         WHEN 'c' THEN (SELECT array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
                          FROM pg_attribute a
                         WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
         ELSE (SELECT array[format_type(r.rngsubtype, NULL), format_type(r.rngtypid, NULL)]
                 FROM pg_range r
                WHERE t.oid IN (r.rngtypid, (to_jsonb(r) ->> 'rngmultitypid')::oid))
       END                                              AS parts
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
 WHERE (t.typtype IN ('e', 'd', 'r', 'm') OR (t.typtype = 'c' AND c.relkind = 'c'))
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
 ORDER BY 1
