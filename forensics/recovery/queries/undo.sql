-- What takes a recovery back, and when does it rather not?

-- How many rows does a re-created table hold that the recovery did not write, or that were changed since?
CREATE OR REPLACE FUNCTION pg_temp.foreign_rows(t targets) RETURNS bigint LANGUAGE sql AS $body$
  SELECT pg_temp.count_of(format(
    'SELECT coalesce(sum(greatest(t.n - coalesce(r.n, 0), 0)), 0) FROM (SELECT md5(ROW(%1$s)::text) AS h, count(*) AS n FROM %2$s t GROUP BY 1) t '
    'LEFT JOIN (SELECT md5(ROW(%3$s)::text) AS h, count(*) AS n FROM pg_temp.rows_%4$s r GROUP BY 1) r ON r.h = t.h',
    pg_temp.listed(t.columns, 't'), t.source, pg_temp.listed(t.columns, 'r'), t.n))
$body$;

-- Does a table hold rows that refer to those about to be deleted? Deleting them might delete or change these too.
CREATE OR REPLACE FUNCTION pg_temp.expect_unreferenced(t targets) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE f record; found bigint;
BEGIN
  FOR f IN
    SELECT o.conrelid::regclass::text AS child, pg_temp.rows_of(o.conrelid) AS source,
           (SELECT array_agg(a.attname::text ORDER BY k.i) FROM unnest(o.conkey) WITH ORDINALITY k(n, i)
              JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.n) AS columns,
           (SELECT array_agg(a.attname::text ORDER BY k.i) FROM unnest(o.confkey) WITH ORDINALITY k(n, i)
              JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.n) AS parent_columns,
           -- Rows that were recovered themselves, and go in the same statement.
           (SELECT format(' AND NOT EXISTS (SELECT FROM pg_temp.rows_%s x WHERE %s)', x.n, CASE WHEN cardinality(x.key) > 0
                     THEN pg_temp.same(x.key, 'c', x.key, 'x')
                     ELSE format('ROW(%s)::text = ROW(%s)::text', pg_temp.listed(x.columns, 'c'), pg_temp.listed(x.columns, 'x')) END)
              FROM pg_temp.targets x WHERE NOT x.created AND to_regclass(x.relation) = o.conrelid) AS but_for
      FROM pg_constraint o
     WHERE o.contype = 'f' AND o.confrelid = to_regclass(t.relation) AND o.conparentid = 0
       AND NOT EXISTS (SELECT FROM pg_temp.targets x WHERE x.created AND to_regclass(x.relation) = o.conrelid)
     ORDER BY o.conrelid, o.oid
  LOOP
    IF NOT f.parent_columns <@ t.columns THEN CONTINUE; END IF;
    found := pg_temp.count_of(format('SELECT count(*) FROM %s c JOIN pg_temp.rows_%s r ON %s WHERE true%s', f.source, t.n,
      pg_temp.same(f.columns, 'c', f.parent_columns, 'r'), f.but_for));
    IF found > 0 THEN
      PERFORM pg_temp.stop(format('%s rows of table %s refer to rows of table %s that were recovered.', found, f.child, t.relation),
        'The application uses what came back. Move or delete those rows first, if the recovery is really to be undone.');
    END IF;
  END LOOP;
END $body$;

-- Drop something that the recovery made. PostgreSQL's own hint would be to drop with it what the application has built on it since.
CREATE OR REPLACE FUNCTION pg_temp.take_away(statement text) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE words text; detail text;
BEGIN
  EXECUTE statement;
EXCEPTION WHEN dependent_objects_still_exist THEN
  GET STACKED DIAGNOSTICS words = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  PERFORM pg_temp.stop(format('Something stands on what the recovery made: %s. %s', words, detail),
    'The application uses what came back. Drop or change that first, if the recovery is really to be undone.');
END $body$;

-- Delete the recovered rows from tables that were not dropped: by key in one statement, so that circles of references do not matter.
CREATE OR REPLACE FUNCTION pg_temp.take_back(numbers int[]) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE t targets; changed bigint; parts text[] := '{}';
BEGIN
  FOR t IN SELECT x.* FROM pg_temp.targets x WHERE x.n = ANY (numbers) AND NOT x.created ORDER BY x.n LOOP
    IF pg_temp.count_of('SELECT count(*) FROM pg_temp.rows_' || t.n) = 0 THEN CONTINUE; END IF;
    IF cardinality(t.key) = 0 THEN
      PERFORM pg_temp.take_back_copies(t);
      CONTINUE;
    END IF;
    changed := pg_temp.count_of(format('SELECT count(*) FROM %s t JOIN pg_temp.rows_%s r ON %s WHERE ROW(%s)::text <> ROW(%s)::text',
      t.source, t.n, pg_temp.same(t.key, 't', t.key, 'r'), pg_temp.listed(t.columns, 't'), pg_temp.listed(t.columns, 'r')));
    IF changed > 0 AND current_setting('forensics.accept_changes')::boolean THEN
      EXECUTE format('DELETE FROM pg_temp.rows_%s r USING %s t WHERE %s AND ROW(%s)::text <> ROW(%s)::text',
        t.n, t.source, pg_temp.same(t.key, 't', t.key, 'r'), pg_temp.listed(t.columns, 't'), pg_temp.listed(t.columns, 'r'));
    ELSIF changed > 0 THEN
      PERFORM pg_temp.stop(format('%s recovered rows of table %s were changed since.', changed, t.relation),
        'The application uses what came back. Decide about those rows by hand, or leave them as they are with: psql -v accept_changes=on.');
    END IF;
    IF pg_temp.held(t) = 0 THEN CONTINUE; END IF;
    PERFORM pg_temp.expect_unreferenced(t);
    PERFORM pg_temp.sleep(t.relation);
    parts := parts || format('p%1$s AS (DELETE FROM %2$s t USING pg_temp.rows_%1$s r WHERE %3$s)', t.n, t.source, pg_temp.same(t.key, 't', t.key, 'r'));
  END LOOP;
  IF cardinality(parts) > 0 THEN EXECUTE 'WITH ' || array_to_string(parts, ', ') || ' SELECT'; END IF;
END $body$;

-- The same where nothing tells rows apart. Copies of equal rows are alike: of each, as many are deleted as came back, the last ones.
CREATE OR REPLACE FUNCTION pg_temp.take_back_copies(t targets) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  IF pg_temp.recovered(t) THEN
    PERFORM pg_temp.expect_unreferenced(t);
    PERFORM pg_temp.sleep(t.relation);
    EXECUTE format(
      'DELETE FROM %1$s d USING (SELECT tableoid AS o, ctid AS c, md5(ROW(%2$s)::text) AS h, row_number() OVER '
      '(PARTITION BY md5(ROW(%2$s)::text) ORDER BY tableoid, ctid DESC) AS i FROM %1$s t) t '
      'JOIN (SELECT md5(ROW(%3$s)::text) AS h, count(*) AS n FROM pg_temp.rows_%4$s r GROUP BY 1) r ON r.h = t.h '
      'WHERE t.i <= r.n AND d.tableoid = t.o AND d.ctid = t.c',
      t.source, pg_temp.listed(t.columns, 't'), pg_temp.listed(t.columns, 'r'), t.n);
  ELSIF NOT pg_temp.unchanged(t) THEN
    PERFORM pg_temp.stop(format('Table %s has no key and was written to since, so its recovered rows cannot be told from others.', t.relation),
      'Decide about its rows by hand.');
  END IF;
END $body$;
