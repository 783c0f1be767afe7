-- Which views, rules, policies and functions (BEGIN ATOMIC) stand on which tables (and views) and
-- columns, so that these cannot go or change?
SELECT n.nspname AS schema,
       c.relname AS "table",
       a.attname AS "column",
       vn.nspname AS by_schema,
       v.relname AS by_table,
       CASE v.relkind
           WHEN 'v' THEN 'view'
           WHEN 'm' THEN 'materialized view'
           ELSE 'rule ' || r.rulename || ' on'
       END AS kind
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.deptype = 'n' AND c.oid <> v.oid AND c.relkind IN ('r', 'p', 'v', 'm')
  AND n.nspname !~ '^(pg_|information_schema$)'
UNION
SELECT n.nspname, c.relname, a.attname, fn.nspname, f.proname, 'function'
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_proc f ON f.oid = d.objid
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.deptype = 'n' AND c.relkind IN ('r', 'p', 'v', 'm')
  AND n.nspname !~ '^(pg_|information_schema$)'
UNION
SELECT n.nspname, c.relname, a.attname, pn.nspname, pc.relname,
       'policy ' || p.polname || ' on'
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_policy p ON p.oid = d.objid
JOIN pg_catalog.pg_class pc ON pc.oid = p.polrelid
JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.deptype = 'n' AND c.relkind IN ('r', 'p', 'v', 'm')
  AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY 1, 2, 3 NULLS FIRST, 4, 5, 6
