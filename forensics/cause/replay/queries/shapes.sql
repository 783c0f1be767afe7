-- What do the watched tables look like now, and has this transaction written to them?
-- %(names)s: quoted, qualified names, in order; %(oids)s: the tables that bore them once. A row
-- each, also where neither is there any more. A table that bears the name comes before the one
-- that bore it. Counters of the transaction include its savepoints; a new file (TRUNCATE, a
-- rewrite) shows in relfilenode.
SELECT c.oid::bigint AS oid,
       c.relkind::text AS kind,
       n.nspname AS schema,
       c.relname AS "table",
       pg_catalog.to_regclass(w.name) IS NOT NULL AS named,
       (SELECT pg_catalog.array_agg(
                   ROW(l.relid::oid::bigint, lc.relfilenode::bigint,
                       pg_catalog.pg_stat_get_xact_tuples_inserted(l.relid)
                       + pg_catalog.pg_stat_get_xact_tuples_updated(l.relid)
                       + pg_catalog.pg_stat_get_xact_tuples_deleted(l.relid))::text
                   ORDER BY l.relid::oid)
          FROM (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t
                UNION SELECT c.oid::regclass) l
          JOIN pg_catalog.pg_class lc ON lc.oid = l.relid) AS written,
       (SELECT pg_catalog.json_agg(
                   pg_catalog.json_build_array(
                       a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod))
                   ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM ROWS FROM (pg_catalog.unnest(%(names)s::text[]), pg_catalog.unnest(%(oids)s::bigint[]))
       WITH ORDINALITY AS w(name, oid, place)
  LEFT JOIN pg_catalog.pg_class c
    ON c.oid = coalesce(pg_catalog.to_regclass(w.name)::oid, w.oid::oid)
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY w.place
