-- What runs beside a statement that writes to a table? Triggers, with the function that each
-- calls, and rules. Functions of the server itself and of C libraries (tsvector_update_trigger,
-- moddatetime) change the row at hand only: left out.
SELECT n.nspname AS schema,
       c.relname AS "table",
       'trigger ' || t.tgname AS name,
       pg_catalog.array_remove(ARRAY[
           CASE WHEN t.tgtype & 4 <> 0 THEN 'insert' END,
           CASE WHEN t.tgtype & 8 <> 0 THEN 'delete' END,
           CASE WHEN t.tgtype & 16 <> 0 THEN 'update' END,
           CASE WHEN t.tgtype & 32 <> 0 THEN 'truncate' END], NULL) AS events,
       pg_catalog.pg_get_functiondef(p.oid) AS definition
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE NOT t.tgisinternal AND t.tgenabled NOT IN ('D', 'R')
  AND l.lanname NOT IN ('c', 'internal')
  AND n.nspname !~ '^(pg_|information_schema$)'
UNION ALL
SELECT n.nspname, c.relname, 'rule ' || r.rulename,
       ARRAY[CASE r.ev_type WHEN '2' THEN 'update' WHEN '3' THEN 'insert' ELSE 'delete' END],
       pg_catalog.pg_get_ruledef(r.oid)
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND r.ev_type <> '1' AND r.ev_enabled NOT IN ('D', 'R')
  AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY 1, 2, 3
