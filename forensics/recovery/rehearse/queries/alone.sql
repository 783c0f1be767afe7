-- What would a table do by itself, were it not for its foreign keys and triggers?
-- (Within a transaction that is taken back.)
DO {tag}
DECLARE found record;
BEGIN
  FOR found IN
    SELECT o.conname FROM pg_constraint o
     WHERE o.conrelid = to_regclass({table}) AND o.contype = 'f' AND o.conparentid = 0
  LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', {table}, found.conname);
  END LOOP;
  EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', {table});
END {tag};
