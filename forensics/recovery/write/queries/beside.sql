-- Is there room in the schema? It is made where it is not there, and marked for undo.sql.
CREATE OR REPLACE FUNCTION pg_temp.make_room(place text, names text[], mark text)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE taken text;
BEGIN
  IF to_regnamespace(quote_ident(place)) IS NULL THEN
    EXECUTE format('CREATE SCHEMA %I', place);
    EXECUTE format('COMMENT ON SCHEMA %I IS %L', place, mark);
    RETURN;
  END IF;
  SELECT string_agg(quote_ident(c.relname), ', ' ORDER BY c.relname) INTO taken
    FROM pg_class c
   WHERE c.relnamespace = to_regnamespace(quote_ident(place)) AND c.relname = ANY (names);
  IF taken IS NOT NULL THEN
    PERFORM pg_temp.stop(
      format('Schema %I has relations of these names already: %s.', place, taken),
      'Look at them; where an earlier recovery.sql laid them there, undo.sql takes them away. '
      'Or choose another schema with --into.');
  END IF;
END $body$;

-- Make a table of columns alone, of the types that are there; of others the text is kept.
CREATE OR REPLACE FUNCTION pg_temp.lay(
  place text, name text, columns text[], types text[], mark text)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE listing text;
BEGIN
  SELECT string_agg(
           format('%I %s', c, CASE WHEN to_regtype(t) IS NULL THEN 'text' ELSE t END),
           ', ' ORDER BY i) INTO listing
    FROM unnest(columns, types) WITH ORDINALITY u(c, t, i);
  EXECUTE format('CREATE TABLE %I.%I (%s)', place, name, coalesce(listing, ''));
  EXECUTE format('COMMENT ON TABLE %I.%I IS %L', place, name, mark);
END $body$;

-- Take away a table that was laid there, and no other.
CREATE OR REPLACE FUNCTION pg_temp.take_up(place text, name text, mark text)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE laid regclass := to_regclass(format('%I.%I', place, name));
BEGIN
  IF laid IS NULL THEN RETURN; END IF;
  IF obj_description(laid, 'pg_class') IS DISTINCT FROM mark THEN
    PERFORM pg_temp.stop(
      format('%I.%I is not the table that recovery.sql laid there.', place, name),
      'Its comment says so. Drop it by hand where it is to go.');
  END IF;
  EXECUTE format('DROP TABLE %I.%I', place, name);
EXCEPTION WHEN dependent_objects_still_exist THEN
  PERFORM pg_temp.stop(
    format('Something stands on %I.%I, and it is not dropped.', place, name),
    'Drop that first: a view, say.');
END $body$;

-- Drop the schema where recovery.sql made it and nothing is left in it.
CREATE OR REPLACE FUNCTION pg_temp.clear(place text, mark text)
RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  IF obj_description(to_regnamespace(quote_ident(place)), 'pg_namespace') = mark THEN
    EXECUTE format('DROP SCHEMA %I', place);
  END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
  RAISE WARNING 'Schema % stays: other things were put into it.', place;
END $body$;
