-- Which tables have triggers that somebody made?
SELECT DISTINCT n.nspname AS schema, c.relname AS "table"
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY 1, 2
