-- Which constraints and indexes of these tables are not valid?
SELECT o.conname, format('constraint %I of %s is not validated', o.conname, o.conrelid::regclass)
  FROM pg_constraint o
 WHERE o.conrelid IN (SELECT to_regclass(t) FROM unnest({tables}) t) AND NOT o.convalidated
UNION ALL
SELECT NULL, format('index %s of %s is not valid', i.indexrelid::regclass, i.indrelid::regclass)
  FROM pg_index i
 WHERE i.indrelid IN (SELECT to_regclass(t) FROM unnest({tables}) t) AND NOT i.indisvalid
 ORDER BY 2
