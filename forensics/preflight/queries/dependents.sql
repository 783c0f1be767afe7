-- Which views, rules, policies and functions (BEGIN ATOMIC) stand on which tables (and views) and
-- columns, so that these cannot go or change?
WITH standing AS (
    SELECT d.refobjid, d.refobjsubid, v.relnamespace AS namespace, v.relname AS name,
           CASE v.relkind
               WHEN 'v' THEN 'view'
               WHEN 'm' THEN 'materialized view'
               ELSE 'rule ' || r.rulename || ' on'
           END AS kind
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
    JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
    WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND d.deptype = 'n' AND d.refobjid <> v.oid
    UNION ALL
    SELECT d.refobjid, d.refobjsubid, f.pronamespace, f.proname, 'function'
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_proc f ON f.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND d.deptype = 'n'
    UNION ALL
    SELECT d.refobjid, d.refobjsubid, pc.relnamespace, pc.relname,
           'policy ' || p.polname || ' on'
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_policy p ON p.oid = d.objid
    JOIN pg_catalog.pg_class pc ON pc.oid = p.polrelid
    WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND d.deptype = 'n'
)
SELECT DISTINCT
       n.nspname AS schema,
       c.relname AS "table",
       a.attname AS "column",
       sn.nspname AS by_schema,
       s.name AS by_table,
       s.kind
FROM standing s
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.namespace
JOIN pg_catalog.pg_class c ON c.oid = s.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attnum = s.refobjsubid AND s.refobjsubid > 0
WHERE c.relkind IN ('r', 'p', 'v', 'm')
  AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY 1, 2, 3 NULLS FIRST, 4, 5, 6
