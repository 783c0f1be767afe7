-- Which columns does a table have now? None where no table bears the name.
SELECT attname
  FROM pg_catalog.pg_attribute
 WHERE attrelid = pg_catalog.to_regclass(%s) AND attnum > 0 AND NOT attisdropped
 ORDER BY attnum
