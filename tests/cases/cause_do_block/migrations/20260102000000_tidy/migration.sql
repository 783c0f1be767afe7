DO $$
DECLARE
  label text;
BEGIN
  IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'old_logs') THEN
    EXECUTE 'DROP TABLE old_logs';
  END IF;
  IF (SELECT count(*) FROM spared) > 100 THEN
    DROP TABLE spared;
  END IF;
  FOR label IN SELECT s.name FROM settings s WHERE s.name LIKE 'legacy.%' LOOP
    DELETE FROM settings s WHERE s.name = tidy_name(label);
  END LOOP;
END $$;
