-- Which columns are of a type that an extension made, and which tables did it make? (column NULL)
SELECT e.extname AS extension, n.nspname AS schema, c.relname AS "table", a.attname AS "column"
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_depend d
  ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
 AND d.refobjid = e.oid AND d.deptype = 'e'
JOIN pg_catalog.pg_type t
  ON d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = d.objid
JOIN pg_catalog.pg_attribute a
  ON a.atttypid IN (t.oid, t.typarray) AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_class c
  ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^(pg_|information_schema$)'
UNION
SELECT e.extname, n.nspname, c.relname, NULL
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_depend d
  ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
 AND d.refobjid = e.oid AND d.deptype = 'e'
JOIN pg_catalog.pg_class c
  ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
 AND c.oid = d.objid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1, 2, 3, 4 NULLS FIRST
