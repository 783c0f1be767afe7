-- Where does each sequence stand, as far as this role may see it? NULL: it was never called.
SELECT n.nspname AS schema, c.relname AS name, s.seqincrement AS step,
       pg_catalog.pg_sequence_last_value(s.seqrelid) AS last_value
  FROM pg_catalog.pg_sequence s
  JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE pg_catalog.has_sequence_privilege(s.seqrelid, 'USAGE, SELECT')
   AND c.relpersistence = 'p'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
