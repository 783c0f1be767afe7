-- Which constraints have not looked at the rows that were there before them, and what do they say?
SELECT n.nspname AS schema,
       c.relname AS "table",
       k.conname AS name,
       pg_catalog.pg_get_constraintdef(k.oid) AS definition
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT k.convalidated AND k.contype IN ('c', 'n') AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY 1, 2, 3
