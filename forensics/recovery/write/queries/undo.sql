-- What takes a recovery back, and when does it rather not?

-- How many rows does a re-created table hold that the recovery did not write, or that were changed
-- since?
CREATE OR REPLACE FUNCTION pg_temp.foreign_rows(t targets) RETURNS bigint LANGUAGE sql AS $body$
  SELECT pg_temp.count_of(format(
    'SELECT coalesce(sum(greatest(t.n - coalesce(r.n, 0), 0)), 0) '
    'FROM %s t LEFT JOIN %s r ON r.h = t.h',
    pg_temp.copies(t.source, t.columns),
    pg_temp.copies('pg_temp.rows_' || t.n, t.columns)))
$body$;

-- What else came with the recovery: columns of tables that were not dropped.
CREATE TEMP TABLE returned (relation text, name text) ON COMMIT DROP;

-- The condition that a row, called t, holds in columns that are not the recovery's what nobody has
-- to write there: their defaults, as far as these are constants. (to_jsonb: servers before 10 and
-- 12 have no such columns.)
CREATE OR REPLACE FUNCTION pg_temp.untouched(t targets) RETURNS text LANGUAGE sql AS $body$
  SELECT coalesce(
           string_agg(
             format('t.%I::text IS NOT DISTINCT FROM (%s)::%s::text', x.attname, x.value, x.type),
             ' AND ' ORDER BY x.attnum),
           'true')
    FROM (SELECT a.attname,
                 a.attnum,
                 format_type(a.atttypid, a.atttypmod) AS type,
                 coalesce(
                   pg_get_expr(d.adbin, d.adrelid),
                   pg_get_expr(y.typdefaultbin, 0),
                   'NULL') AS value
            FROM pg_attribute a
            JOIN pg_type y ON y.oid = a.atttypid
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attrelid = to_regclass(t.relation)
             AND a.attnum > 0
             AND NOT a.attisdropped
             AND NOT a.attname = ANY (t.columns)
             AND coalesce(to_jsonb(a) ->> 'attgenerated', '') = ''
             AND coalesce(to_jsonb(a) ->> 'attidentity', '') = ''
             AND NOT EXISTS (
               SELECT FROM pg_temp.returned r
                WHERE to_regclass(r.relation) = a.attrelid
                  AND r.name = a.attname)) x
   -- Without its strings and casts, a constant has no words but these.
   WHERE regexp_replace(
           regexp_replace(
             regexp_replace(x.value, '''([^'']|'''')*''', '', 'g'),
             '::("[^"]*"|[a-z0-9_. ])+(\([0-9, ]+\))?(\[\])*', '', 'g'),
           '\m(true|false|null|array)\M', '', 'gi') !~ '[[:alpha:]_"]'
$body$;

-- Has a re-created table other columns than it came back with? They hold what the application
-- wrote, and would go with it.
CREATE OR REPLACE FUNCTION pg_temp.expect_no_others(relation text, names text[])
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE other text;
BEGIN
  SELECT a.attname INTO other
    FROM pg_attribute a
   WHERE a.attrelid = to_regclass(relation)
     AND a.attnum > 0
     AND NOT a.attisdropped
     AND NOT a.attname = ANY (names)
   ORDER BY a.attnum
   LIMIT 1;
  IF FOUND THEN
    PERFORM pg_temp.stop(
      format('Table %s has a column %I that it did not come back with.', relation, other),
      'The application uses the table. Save what the column holds elsewhere and drop it first, '
      'if the recovery is really to be undone.');
  END IF;
END $body$;

-- Drop a foreign key that was restored. Another of the same name, that refers elsewhere, is none of
-- ours.
CREATE OR REPLACE FUNCTION pg_temp.let_go(relation text, name text, parents text[])
RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (
       SELECT FROM pg_constraint o
        WHERE o.conrelid = to_regclass(relation)
          AND o.conname = name
          AND o.confrelid IN (SELECT to_regclass(p) FROM unnest(parents) p)) THEN
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', relation, name);
  END IF;
END $body$;

-- Take a column's default back where it still draws from a sequence that goes.
CREATE OR REPLACE FUNCTION pg_temp.undraw(relation text, name text, sequences text[])
RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (
       SELECT FROM pg_attrdef e
         JOIN pg_attribute a
           ON a.attrelid = e.adrelid
          AND a.attnum = e.adnum
          AND a.attname = name
         JOIN pg_depend d
           ON d.classid = 'pg_attrdef'::regclass
          AND d.objid = e.oid
          AND d.refclassid = 'pg_class'::regclass
        WHERE e.adrelid = to_regclass(relation)
          AND d.refobjid IN (SELECT to_regclass(s) FROM unnest(sequences) s)) THEN
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', relation, name);
  END IF;
END $body$;

-- Drop a function that takes rows of a table which goes, with what of that table stands on it; not
-- with what others have built on it.
CREATE OR REPLACE FUNCTION pg_temp.take_function(signature text, relations text[])
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE other text;
BEGIN
  SELECT s.relation::regclass::text INTO other
    FROM pg_depend d
   CROSS JOIN LATERAL (
     SELECT w.ev_class AS relation
       FROM pg_rewrite w
      WHERE d.classid = 'pg_rewrite'::regclass
        AND w.oid = d.objid
     UNION ALL
     SELECT i.indrelid
       FROM pg_index i
      WHERE d.classid = 'pg_class'::regclass
        AND i.indexrelid = d.objid
     UNION ALL
     SELECT e.adrelid
       FROM pg_attrdef e
      WHERE d.classid = 'pg_attrdef'::regclass
        AND e.oid = d.objid
     UNION ALL
     SELECT o.conrelid
       FROM pg_constraint o
      WHERE d.classid = 'pg_constraint'::regclass
        AND o.oid = d.objid) s
   WHERE d.refclassid = 'pg_proc'::regclass
     AND d.refobjid = to_regprocedure(signature)::oid
     AND s.relation <> 0
     AND s.relation NOT IN (SELECT to_regclass(r) FROM unnest(relations) r)
   ORDER BY 1
   LIMIT 1;
  IF FOUND THEN
    PERFORM pg_temp.stop(
      format('Something stands on what the recovery made: %s uses function %s.',
             other, signature),
      'The application uses what came back. Drop or change that first, '
      'if the recovery is really to be undone.');
  END IF;
  EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', signature);
END $body$;

-- Does a table hold rows that refer to those about to be deleted? Deleting them might delete or
-- change these too.
CREATE OR REPLACE FUNCTION pg_temp.expect_unreferenced(t targets)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  f record;
  found bigint;
BEGIN
  FOR f IN
    SELECT o.conrelid::regclass::text AS child,
           pg_temp.rows_of(o.conrelid) AS source,
           (SELECT array_agg(a.attname::text ORDER BY k.i)
              FROM unnest(o.conkey) WITH ORDINALITY k(n, i)
              JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.n) AS columns,
           (SELECT array_agg(a.attname::text ORDER BY k.i)
              FROM unnest(o.confkey) WITH ORDINALITY k(n, i)
              JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.n
           ) AS parent_columns,
           -- Rows that were recovered themselves, and go in the same statement.
           (SELECT format(
                     ' AND NOT EXISTS (SELECT FROM pg_temp.rows_%s x WHERE %s)',
                     x.n,
                     CASE
                       WHEN cardinality(x.key) > 0
                       THEN pg_temp.same(x.key, 'c', x.key, 'x')
                       ELSE format('ROW(%s)::text = ROW(%s)::text',
                                   pg_temp.listed(x.columns, 'c'),
                                   pg_temp.listed(x.columns, 'x'))
                     END)
              FROM pg_temp.targets x
             WHERE NOT x.created
               AND to_regclass(x.relation) = o.conrelid) AS but_for
      FROM pg_constraint o
     WHERE o.contype = 'f'
       AND o.confrelid = to_regclass(t.relation)
       AND coalesce((to_jsonb(o) ->> 'conparentid')::oid, 0) = 0
       AND NOT EXISTS (
         SELECT FROM pg_temp.targets x
          WHERE x.created
            AND to_regclass(x.relation) = o.conrelid)
     ORDER BY o.conrelid, o.oid
  LOOP
    IF NOT f.parent_columns <@ t.columns THEN
      CONTINUE;
    END IF;
    found := pg_temp.count_of(format(
      'SELECT count(*) FROM %s c JOIN pg_temp.rows_%s r ON %s WHERE true%s',
      f.source, t.n, pg_temp.same(f.columns, 'c', f.parent_columns, 'r'), f.but_for));
    IF found > 0 THEN
      PERFORM pg_temp.stop(
        format('%s rows of table %s refer to rows of table %s that were recovered.',
               found, f.child, t.relation),
        'The application uses what came back. Move or delete those rows first, '
        'if the recovery is really to be undone.');
    END IF;
  END LOOP;
END $body$;

-- Drop something that the recovery made. PostgreSQL's own hint would be to drop with it what the
-- application has built on it since.
CREATE OR REPLACE FUNCTION pg_temp.take_away(statement text)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  words text;
  detail text;
BEGIN
  EXECUTE statement;
EXCEPTION WHEN dependent_objects_still_exist THEN
  GET STACKED DIAGNOSTICS words = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  PERFORM pg_temp.stop(
    format('Something stands on what the recovery made: %s. %s', words, detail),
    'The application uses what came back. Drop or change that first, '
    'if the recovery is really to be undone.');
END $body$;

-- Delete the recovered rows from tables that were not dropped: by key in one statement, so that
-- circles of references do not matter.
CREATE OR REPLACE FUNCTION pg_temp.take_back(numbers int[]) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  t targets;
  changed bigint;
  other text;
  parts text[] := '{}';
BEGIN
  FOR t IN
    SELECT x.*
      FROM pg_temp.targets x
     WHERE x.n = ANY (numbers)
       AND NOT x.created
     ORDER BY x.n
  LOOP
    IF pg_temp.rows_in('pg_temp.rows_' || t.n) = 0 THEN
      CONTINUE;
    END IF;
    IF cardinality(t.key) = 0 THEN
      PERFORM pg_temp.take_back_copies(t);
      CONTINUE;
    END IF;
    other := format(
      '(ROW(%s)::text <> ROW(%s)::text OR NOT (%s))',
      pg_temp.listed(t.columns, 't'), pg_temp.listed(t.columns, 'r'), pg_temp.untouched(t));
    changed := pg_temp.count_of(format(
      'SELECT count(*) FROM %s t JOIN pg_temp.rows_%s r ON %s WHERE %s',
      t.source, t.n, pg_temp.by_key(t), other));
    IF changed > 0 AND current_setting('forensics.accept_changes')::boolean THEN
      EXECUTE format(
        'DELETE FROM pg_temp.rows_%s r USING %s t WHERE %s AND %s',
        t.n, t.source, pg_temp.by_key(t), other);
    ELSIF changed > 0 THEN
      PERFORM pg_temp.stop(
        format('%s recovered rows of table %s were changed since.', changed, t.relation),
        'The application uses what came back. Decide about those rows by hand, '
        'or leave them as they are with: psql -v accept_changes=on.');
    END IF;
    IF pg_temp.held(t) = 0 THEN
      CONTINUE;
    END IF;
    IF pg_temp.held(t) > pg_temp.rows_in('pg_temp.rows_' || t.n) THEN
      PERFORM pg_temp.stop(
        format('Table %s holds rows twice under the keys of recovered ones.', t.relation),
        'No constraint of the table keeps its keys unique, and copies were written since. '
        'Decide about those rows by hand.');
    END IF;
    PERFORM pg_temp.expect_unreferenced(t);
    PERFORM pg_temp.sleep(t.relation);
    parts := parts || format(
      'p%1$s AS (DELETE FROM %2$s t USING pg_temp.rows_%1$s r WHERE %3$s)',
      t.n, t.source, pg_temp.by_key(t));
  END LOOP;
  IF cardinality(parts) > 0 THEN
    EXECUTE 'WITH ' || array_to_string(parts, ', ') || ' SELECT';
  END IF;
END $body$;

-- The same where nothing tells rows apart. Copies of equal rows are alike: of each, as many are
-- deleted as came back, the last ones.
CREATE OR REPLACE FUNCTION pg_temp.take_back_copies(t targets)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE taken bigint;
BEGIN
  IF pg_temp.recovered(t) THEN
    PERFORM pg_temp.expect_unreferenced(t);
    PERFORM pg_temp.sleep(t.relation);
    EXECUTE format(
      'DELETE FROM %1$s d '
      'USING (SELECT tableoid AS o, ctid AS c, pg_temp.hash(ROW(%2$s)::text) AS h, '
      'row_number() OVER (PARTITION BY pg_temp.hash(ROW(%2$s)::text) '
      'ORDER BY tableoid, ctid DESC) AS i '
      'FROM %1$s t WHERE %3$s) t '
      'JOIN %4$s r ON r.h = t.h '
      'WHERE t.i <= r.n AND d.tableoid = t.o AND d.ctid = t.c',
      t.source, pg_temp.listed(t.columns, 't'), pg_temp.untouched(t),
      pg_temp.copies('pg_temp.rows_' || t.n, t.columns));
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF taken < pg_temp.rows_in('pg_temp.rows_' || t.n) THEN
      PERFORM pg_temp.stop(
        format('Recovered rows of table %s, which has no key, are not there as they came back.',
               t.relation),
        'They were changed or deleted since, or the application wrote before they could return. '
        'Decide about those rows by hand.');
    END IF;
  ELSIF NOT pg_temp.unchanged(t) THEN
    PERFORM pg_temp.stop(
      format('Table %s has no key and was written to since, '
             'so its recovered rows cannot be told from others.', t.relation),
      'Decide about its rows by hand.');
  END IF;
END $body$;

-- Take a partition away that the recovery made. Its recovered rows have gone back by now: what it
-- still holds is the application's.
CREATE OR REPLACE FUNCTION pg_temp.take_partition(parent text, tree text[])
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  found bigint;
  stands boolean;
  part text;
BEGIN
  WITH RECURSIVE below AS (
    SELECT i.inhrelid
      FROM pg_inherits i
     WHERE i.inhparent = to_regclass(parent)
       AND i.inhrelid = to_regclass(tree[1])
    UNION ALL
    SELECT i.inhrelid
      FROM pg_inherits i
      JOIN below b ON b.inhrelid = i.inhparent)
  SELECT array_agg(inhrelid ORDER BY inhrelid) = (
           SELECT array_agg(to_regclass(t)::oid ORDER BY to_regclass(t)::oid)
             FROM unnest(tree) t)
    INTO stands
    FROM below;
  IF stands IS DISTINCT FROM true THEN
    PERFORM pg_temp.stop(
      format('Partition %s of %s is not put together as it came back.', tree[1], parent),
      'Partitions were attached or detached since the recovery. Take it away by hand.');
  END IF;
  found := pg_temp.rows_in(tree[1]);
  IF found > 0 THEN
    PERFORM pg_temp.stop(
      format('Partition %s holds %s rows that the recovery did not write, '
             'or that were changed since.', tree[1], found),
      'The application uses the partition. Save those rows elsewhere first, '
      'if the recovery is really to be undone.');
  END IF;
  -- Detached first, because foreign keys to the whole table hold on to each partition; and the
  -- lowest first, because PostgreSQL 17 and 18 do not detach one with partitions of its own from
  -- a table with an identity column.
  FOR part IN SELECT t FROM unnest(tree) WITH ORDINALITY u(t, i) ORDER BY i DESC LOOP
    PERFORM pg_temp.take_away(
              format('ALTER TABLE %s DETACH PARTITION %s', i.inhparent::regclass, part))
       FROM pg_inherits i
      WHERE i.inhrelid = to_regclass(part);
    PERFORM pg_temp.take_away('DROP TABLE ' || part);
  END LOOP;
END $body$;

-- Have the sequence of a column stand where it stood, or past what the table holds, where it gave
-- out nothing since the recovery: then it stands at the highest value that came back. Where it does
-- not, its next values may be in use, and it stays.
CREATE OR REPLACE FUNCTION pg_temp.step_back(
  number int, relation text, name text, stood bigint, called boolean)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  sequence text := pg_temp.drawn(relation, name);
  way record;
  stands record;
  came numeric;
  held numeric;
BEGIN
  IF sequence IS NULL OR NOT pg_temp.keeps_numbers(relation, name) THEN
    RETURN;
  END IF;
  EXECUTE format('SELECT last_value, is_called FROM %s', sequence) INTO stands;
  SELECT * INTO way FROM pg_temp.course(sequence);
  EXECUTE format('SELECT max(%I) FROM pg_temp.rows_%s', name, number) INTO came;
  EXECUTE format('SELECT max(%I) FROM %s WHERE %I <= %s', name, relation, name, stands.last_value)
     INTO held;
  IF (stands.last_value, stands.is_called) = (stood, called) OR came IS NULL THEN
    RETURN;
  END IF;
  IF way.step > 0
     AND stands.is_called
     AND stands.last_value = trunc(greatest(came, held))
     AND stood < stands.last_value THEN
    IF held > stood THEN
      PERFORM setval(sequence::regclass, held::bigint, true);
    ELSE
      PERFORM setval(sequence::regclass, stood, called);
    END IF;
  ELSE
    RAISE WARNING 'Sequence % stays at %: its next values may be in use.',
      sequence, stands.last_value;
  END IF;
END $body$;
