-- Which functions may change rows, and what do they say?
-- Those of extensions and those that promise not to are left out.
SELECT p.proname AS name, pg_catalog.pg_get_functiondef(p.oid) AS definition
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE n.nspname !~ '^(pg_|information_schema$)'
  AND p.provolatile = 'v' AND l.lanname NOT IN ('c', 'internal')
  AND p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                    AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY p.proname, p.oid
