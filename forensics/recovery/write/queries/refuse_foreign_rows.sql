DO $do$
DECLARE
  t targets;
  found bigint;
BEGIN
  FOR t IN SELECT * FROM pg_temp.targets WHERE created ORDER BY n LOOP
    found := pg_temp.foreign_rows(t);
    IF found > 0 THEN
      PERFORM pg_temp.stop(
        format('Table %s holds %s rows that the recovery did not write, '
               'or that were changed since.', t.relation, found),
        'The application uses the table. Save those rows elsewhere first, '
        'if the recovery is really to be undone.');
    END IF;
  END LOOP;
END $do$;
