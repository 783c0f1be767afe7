-- Values of dropped columns: are they back already, and is what the columns hold exactly that?

CREATE OR REPLACE FUNCTION pg_temp.columns_standing(relation text, names text[])
RETURNS text LANGUAGE plpgsql AS $body$
DECLARE found bigint;
BEGIN
  IF to_regclass(relation) IS NULL THEN
    PERFORM pg_temp.stop(
      format('Table %s is gone; it was there when compared.', relation),
      'The database changed since it was compared. '
      'Compare again, and write the recovery anew.');
  END IF;
  SELECT count(*) INTO found
    FROM pg_attribute a
   WHERE a.attrelid = to_regclass(relation)
     AND a.attname = ANY (names)
     AND a.attnum > 0
     AND NOT a.attisdropped;
  IF found = 0 THEN
    RETURN 'absent';
  END IF;
  IF found < cardinality(names) THEN
    PERFORM pg_temp.stop(
      format('Some of the columns %s of table %s are there again and some are not.',
             names, relation),
      'The database changed since it was compared. '
      'Compare again, and write the recovery anew.');
  END IF;
  RETURN 'present';
END $body$;

CREATE OR REPLACE FUNCTION pg_temp.expect_values(
  n int, relation text, key text[], names text[])
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  other bigint;
  nothing text;
BEGIN
  SELECT string_agg(format('t.%I IS NULL', c), ' AND ') INTO nothing
    FROM unnest(names) c;
  other := pg_temp.count_of(format(
    'SELECT count(*) FROM %s t LEFT JOIN pg_temp.values_%s v ON %s '
    'WHERE NOT (%s) AND ROW(%s)::text IS DISTINCT FROM ROW(%s)::text',
    relation, n, pg_temp.same(key, 't', key, 'v'),
    nothing, pg_temp.listed(names, 't'), pg_temp.listed(names, 'v')));
  IF other > 0 THEN
    PERFORM pg_temp.stop(
      format('%s rows of table %s hold other values in %s than came back.',
             other, regexp_replace(relation, '^ONLY ', ''), array_to_string(names, ', ')),
      'The application uses the columns. Decide about them by hand.');
  END IF;
END $body$;

-- Put the values back. Rows that break a check which was never validated can be changed by nobody.
CREATE OR REPLACE FUNCTION pg_temp.fill(relation text, statement text)
RETURNS bigint LANGUAGE plpgsql AS $body$
DECLARE
  words text;
  detail text;
BEGIN
  RETURN pg_temp.write(statement);
EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
  GET STACKED DIAGNOSTICS words = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  PERFORM pg_temp.stop(
    format('Table %s refuses values in rows that it holds: %s. %s', relation, words, detail),
    'Rows that are there break that constraint already. '
    'Mend them, or drop the constraint and add it again afterwards as it was (NOT VALID); '
    'or leave the table out with recover --table.');
END $body$;
