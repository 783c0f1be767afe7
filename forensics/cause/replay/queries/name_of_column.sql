-- What is a column called now?
SELECT attname
  FROM pg_catalog.pg_attribute
 WHERE attrelid = %s AND attnum = %s AND NOT attisdropped
