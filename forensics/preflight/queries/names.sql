-- Which names are taken? `space` is what a name has to be alone in: the relations or the types of
-- a schema; the constraints, triggers, policies or rules of a table; the labels of a type; the
-- schemas and the extensions of the database. `of_table` is the table that a thing goes with, and
-- `columns` those that it cannot do without.
WITH shown AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace
    WHERE nspname !~ '^(pg_toast|pg_temp|pg_catalog$|information_schema$)'
)
SELECT 'relation' AS space, s.nspname AS schema, c.relname AS name,
       CASE c.relkind
           WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
           WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'c' THEN 'type'
           WHEN 'f' THEN 'foreign table' ELSE 'table'
       END AS kind,
       ts.nspname AS of_schema, t.relname AS of_table,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = t.oid AND a.attnum > 0
               AND (a.attnum = ANY (i.indkey) OR a.attnum = d.refobjsubid)) AS columns
FROM pg_catalog.pg_class c
JOIN shown s ON s.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_depend d
  ON c.relkind = 'S' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
 AND d.objid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_class t ON t.oid = coalesce(i.indrelid, d.refobjid)
LEFT JOIN pg_catalog.pg_namespace ts ON ts.oid = t.relnamespace
UNION ALL
SELECT 'type', s.nspname, t.typname, 'type', cs.nspname, c.relname, '{}'
FROM pg_catalog.pg_type t
JOIN shown s ON s.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_catalog.pg_namespace cs ON cs.oid = c.relnamespace
WHERE NOT (t.typelem <> 0 AND t.typlen = -1)
UNION ALL
SELECT 'label', s.nspname, e.enumlabel, 'label', s.nspname, t.typname, '{}'
FROM pg_catalog.pg_enum e
JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
JOIN shown s ON s.oid = t.typnamespace
UNION ALL
SELECT 'constraint', s.nspname, o.conname,
       CASE o.contype WHEN 'p' THEN 'primary key' WHEN 'f' THEN 'foreign key' ELSE 'constraint' END,
       s.nspname, c.relname,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum = ANY (o.conkey))
FROM pg_catalog.pg_constraint o
JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
JOIN shown s ON s.oid = c.relnamespace
UNION ALL
SELECT 'trigger', s.nspname, g.tgname, 'trigger', s.nspname, c.relname, '{}'
FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN shown s ON s.oid = c.relnamespace
WHERE NOT g.tgisinternal
UNION ALL
SELECT 'policy', s.nspname, p.polname, 'policy', s.nspname, c.relname, '{}'
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN shown s ON s.oid = c.relnamespace
UNION ALL
SELECT 'rule', s.nspname, r.rulename, 'rule', s.nspname, c.relname, '{}'
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN shown s ON s.oid = c.relnamespace
WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'schema', '', nspname, 'schema', NULL, NULL, '{}' FROM pg_catalog.pg_namespace
UNION ALL
SELECT 'extension', '', extname, 'extension', NULL, NULL, '{}' FROM pg_catalog.pg_extension
