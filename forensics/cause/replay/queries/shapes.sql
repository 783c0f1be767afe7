-- What do the watched tables look like now, and has this transaction written to them?
-- %(names)s: quoted, qualified names, in order. A row each, also for a name that no table has any
-- more. Counters of the transaction include its savepoints; a new file (TRUNCATE, a rewrite) shows
-- in relfilenode.
SELECT c.oid::bigint AS oid,
       c.relkind::text AS kind,
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
  FROM pg_catalog.unnest(%(names)s::text[]) WITH ORDINALITY AS w(name, place)
  LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(w.name)
 ORDER BY w.place
