-- Overwritten values: compare and set. Where a column still holds what was written over its value,
-- the value returns; elsewhere it stays.

-- Leave references out whose rows are not there: marks are the columns that say so, values what the
-- references would be.
CREATE OR REPLACE FUNCTION pg_temp.leave_orphans(
  staged text,
  source text,
  same text,
  marks text[],
  given text[],
  parent text,
  parent_columns text[])
RETURNS bigint LANGUAGE plpgsql AS $body$
DECLARE
  filled text;
  met text;
  cleared text;
  written bigint;
BEGIN
  IF to_regclass(parent) IS NULL THEN
    RETURN 0;
  END IF;
  SELECT string_agg(g || ' IS NOT NULL', ' AND '),
         string_agg('p.' || quote_ident(parent_columns[i]) || ' = ' || g, ' AND ')
    INTO filled, met
    FROM unnest(given) WITH ORDINALITY u(g, i);
  SELECT string_agg(m || ' = false', ', ') INTO cleared
    FROM unnest(marks) m;
  EXECUTE format(
    'UPDATE pg_temp.%s v SET %s FROM %s t '
    'WHERE %s AND (v.%s) AND %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)',
    staged, cleared, source,
    same, array_to_string(marks, ' OR v.'), filled, pg_temp.rows_of(parent::regclass), met);
  GET DIAGNOSTICS written = ROW_COUNT;
  RETURN written;
END $body$;

-- Write values, or say which row is refused and why.
CREATE OR REPLACE FUNCTION pg_temp.set_values(relation text, statement text)
RETURNS bigint LANGUAGE plpgsql AS $body$
DECLARE
  words text;
  detail text;
BEGIN
  RETURN pg_temp.write(statement);
EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
  GET STACKED DIAGNOSTICS words = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  PERFORM pg_temp.stop(
    format('Table %s refuses a value that is to return: %s. %s', relation, words, detail),
    'Rehearse with live at hand (recover --rehearse): '
    'the recovery is then written without the values that its tables refuse, and names them.');
END $body$;
