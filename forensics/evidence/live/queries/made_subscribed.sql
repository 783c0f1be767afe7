-- Which tables are filled by a subscription?
SELECT n.nspname AS schema, c.relname AS name
  FROM pg_catalog.pg_subscription_rel s
  JOIN pg_catalog.pg_class c ON c.oid = s.srrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
