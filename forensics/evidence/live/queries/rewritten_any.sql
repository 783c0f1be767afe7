-- Does any of some tables no longer hold the rows that the snapshot shows? See `rewritten`.
SELECT count(*) <> {number}
       OR bool_or(
            c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid)) AS rewritten
  FROM pg_catalog.pg_class c
 WHERE c.oid IN ({tables})
