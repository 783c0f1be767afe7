CREATE FUNCTION purge(before date) RETURNS int LANGUAGE plpgsql AS $$
DECLARE taken int;
BEGIN
  INSERT INTO archive SELECT * FROM visits WHERE at < before AND id % 2 = 0;
  DELETE FROM visits WHERE at < before;
  GET DIAGNOSTICS taken = ROW_COUNT;
  RETURN taken;
END $$;
SELECT purge('2025-01-22');
DROP FUNCTION purge;
