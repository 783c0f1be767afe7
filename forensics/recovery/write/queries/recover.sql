-- What decides, checks and prepares a recovery? The rows themselves are inserted by plain
-- statements further down.

-- Rows that were to return and do not, since the database went on: how many, why, and the keys of
-- some.
CREATE TEMP TABLE left_out (
  relation text,
  reason text,
  rows bigint,
  examples text[]) ON COMMIT DROP;

-- Leave out rows r of a target for which a condition holds.
CREATE OR REPLACE FUNCTION pg_temp.leave_out(number int, condition text, reason text)
RETURNS bigint LANGUAGE plpgsql AS $body$
DECLARE
  t targets;
  shown text[];
  removed bigint;
BEGIN
  SELECT * INTO t FROM pg_temp.targets x WHERE x.n = number;
  shown := CASE WHEN cardinality(t.key) > 0 THEN t.key ELSE t.columns END;
  EXECUTE format(
    'WITH gone AS (DELETE FROM pg_temp.rows_%s r WHERE %s RETURNING ROW(%s)::text AS shown) '
    'SELECT count(*), (array_agg(shown ORDER BY shown))[1:3] FROM gone',
    t.n, condition, pg_temp.listed(shown, 'r')) INTO removed, shown;
  IF removed > 0 THEN
    INSERT INTO pg_temp.left_out VALUES (t.relation, reason, removed, shown);
  END IF;
  RETURN removed;
END $body$;

-- Leave out rows whose parents are neither in the database nor among the rows that return, until
-- none is left to leave out.
CREATE OR REPLACE FUNCTION pg_temp.prune() RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  l links;
  filled text;
  gone text;
  total bigint;
BEGIN
  LOOP
    total := 0;
    FOR l IN SELECT * FROM pg_temp.links ORDER BY n, columns LOOP
      SELECT string_agg(format('r.%I IS NOT NULL', c), ' AND ') INTO filled
        FROM unnest(l.columns) c;
      gone := format(
        'NOT EXISTS (SELECT FROM %s p WHERE %s)',
        pg_temp.rows_of(l.parent::regclass),
        pg_temp.same(l.parent_columns, 'p', l.columns, 'r'));
      IF l.parent_n IS NOT NULL THEN
        gone := gone || format(
          ' AND NOT EXISTS (SELECT FROM pg_temp.rows_%s p WHERE %s)',
          l.parent_n, pg_temp.same(l.parent_columns, 'p', l.columns, 'r'));
      END IF;
      total := total + pg_temp.leave_out(
        l.n,
        filled || ' AND ' || gone,
        format('the row of %s that it refers to is gone', l.parent));
      IF to_regclass('pg_temp.taken_' || l.parent_n) IS NOT NULL THEN
        total := total + pg_temp.leave_out(
          l.n,
          format('EXISTS (SELECT FROM pg_temp.taken_%s p WHERE %s)',
                 l.parent_n, pg_temp.same(l.parent_columns, 'p', l.columns, 'r')),
          format('another row of %s stands under the key that it refers to', l.parent));
      END IF;
    END LOOP;
    EXIT WHEN total = 0;
  END LOOP;
END $body$;

-- Are all rows there whose parents are?
CREATE OR REPLACE FUNCTION pg_temp.all_but_pruned() RETURNS boolean LANGUAGE plpgsql AS $body$
BEGIN
  PERFORM pg_temp.prune();
  RETURN NOT EXISTS (
    SELECT FROM pg_temp.targets t
     WHERE pg_temp.held(t) <> pg_temp.rows_in('pg_temp.rows_' || t.n));
END $body$;

-- Is there anything to do? No where all rows are back already. Stops where some of them are.
CREATE OR REPLACE FUNCTION pg_temp.to_do(created boolean, makes boolean, accept_changes boolean)
RETURNS boolean LANGUAGE plpgsql AS $body$
DECLARE
  t targets;
  there bigint;
  wanted bigint := 0;
  found bigint := 0;
BEGIN
  FOR t IN SELECT * FROM pg_temp.targets ORDER BY n LOOP
    wanted := wanted + pg_temp.rows_in('pg_temp.rows_' || t.n);
    IF t.created AND created THEN
      CONTINUE;
    END IF;
    there := pg_temp.held(t);
    IF NOT t.created AND cardinality(t.key) = 0 THEN
      -- Equal rows cannot be told apart: only the whole table says whether they are back.
      there := CASE
                 WHEN pg_temp.recovered(t)
                 THEN pg_temp.rows_in('pg_temp.rows_' || t.n)
                 ELSE 0
               END;
    END IF;
    found := found + there;
  END LOOP;
  IF NOT created AND found = wanted THEN
    RETURN false;
  END IF;
  IF makes AND NOT created THEN
    -- A run before this one may have left out rows whose parents are gone.
    IF accept_changes AND pg_temp.all_but_pruned() THEN
      RETURN false;
    END IF;
    PERFORM pg_temp.stop(
      format('The dropped tables are there again, '
             'and hold %s of the %s rows that this script brings back.', found, wanted),
      'Somebody else made them. Compare again, and write the recovery anew.');
  END IF;
  IF found > 0 AND NOT accept_changes THEN
    PERFORM pg_temp.stop(
      format('%s of the %s rows that this script brings back are there already.',
             found, wanted),
      'Compare again and write the recovery anew; '
      'or run this script with: psql -v accept_changes=on.');
  END IF;
  RETURN true;
END $body$;

-- Leave out what live holds by now, in a table that the application wrote to since it was compared.
CREATE OR REPLACE FUNCTION pg_temp.leave_out_what_is_there(t targets)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  alike text[];
  why text;
BEGIN
  IF t.created OR cardinality(t.columns) = 0 THEN
    RETURN;
  END IF;
  IF cardinality(t.key) > 0 THEN
    -- What refers to a row whose key was given to another must not lead there.
    EXECUTE format(
      'CREATE TEMP TABLE taken_%s ON COMMIT DROP AS '
      'SELECT r.* FROM pg_temp.rows_%s r JOIN %s t ON %s '
      'WHERE ROW(%s)::text <> ROW(%s)::text',
      t.n, t.n, t.source, pg_temp.by_key(t),
      pg_temp.listed(t.columns, 'r'), pg_temp.listed(t.columns, 't'));
    PERFORM pg_temp.leave_out(
      t.n,
      format('EXISTS (SELECT FROM %s t WHERE %s)', t.source, pg_temp.by_key(t)),
      'another row stands under its key by now');
  END IF;
  IF cardinality(t.key) = 0 THEN
    -- Nothing tells equal rows apart: whether these are new or were there nobody knows.
    alike := t.columns;
    why := 'an equal row is there, and its table has no key';
  ELSE
    alike := t.says;
    why := 'the link was made again under another key';
  END IF;
  IF cardinality(alike) = 0 OR pg_temp.unchanged(t) THEN
    RETURN;
  END IF;
  PERFORM pg_temp.leave_out(
    t.n,
    format('pg_temp.hash(ROW(%s)::text) IN (SELECT pg_temp.hash(ROW(%s)::text) FROM %s t)',
           pg_temp.listed(alike, 'r'), pg_temp.listed(alike, 't'), t.source),
    why);
END $body$;

-- Everything in place to insert? What the application wrote since is held against the rows that
-- return, and against nothing else.
-- Remembers how each table stands before, to hold the outcome against.
CREATE OR REPLACE FUNCTION pg_temp.prepare(accept_changes boolean)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  t targets;
  ready bigint;
  why text;
BEGIN
  PERFORM pg_temp.leave_out_what_is_there(x) FROM pg_temp.targets x;
  PERFORM pg_temp.prune();
  FOR t IN SELECT * FROM pg_temp.targets ORDER BY n LOOP
    ready := pg_temp.rows_in('pg_temp.rows_' || t.n);
    IF ready <> t.expected AND NOT accept_changes THEN
      SELECT string_agg(
               format('%s: %s, for example %s', o.rows, o.reason, o.examples[1]), '; ')
        INTO why
        FROM pg_temp.left_out o
       WHERE o.relation = t.relation;
      PERFORM pg_temp.stop(
        format('%s of the %s rows for table %s cannot return (%s).',
               t.expected - ready, t.expected, t.relation, why),
        'The database changed since it was compared. Compare again and write the recovery anew; '
        'or leave those rows out with: psql -v accept_changes=on.');
    END IF;
    UPDATE pg_temp.targets x
       SET live_fingerprint = pg_temp.fingerprint(t.source, t.columns),
           expected = ready
     WHERE x.n = t.n;
    PERFORM pg_temp.sleep(t.relation);
  END LOOP;
END $body$;

-- What an INSERT of whole rows needs where the table numbers them itself. (to_jsonb: servers before
-- 10 have no such column.)
CREATE OR REPLACE FUNCTION pg_temp.overriding(t targets) RETURNS text LANGUAGE sql AS $body$
  SELECT CASE
           WHEN EXISTS (
             SELECT FROM pg_attribute a
              WHERE a.attrelid = to_regclass(t.relation)
                AND to_jsonb(a) ->> 'attidentity' = 'a')
           THEN 'OVERRIDING SYSTEM VALUE'
           ELSE ''
         END
$body$;

-- Insert the rows of targets, all in one statement: rows that refer to each other in a circle are
-- checked when they are all there.
-- A row that a table refuses stops everything, and is shown with what refuses it.
CREATE OR REPLACE FUNCTION pg_temp.put(numbers int[]) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  t targets;
  parts text[];
  words text;
  detail text;
  skip text;
BEGIN
  FOR t IN
    SELECT x.*
      FROM pg_temp.targets x
     WHERE x.n = ANY (numbers)
     ORDER BY array_position(numbers, x.n)
  LOOP
    -- Rows that collide are counted afterwards. PostgreSQL cannot pass over them where a
    -- constraint may be deferred, or beside rules; 10 not in a partitioned table.
    skip := CASE
              WHEN t.created
                OR EXISTS (
                     SELECT FROM pg_constraint o
                      WHERE o.conrelid = to_regclass(t.relation)
                        AND o.condeferrable
                        AND o.contype IN ('p', 'u', 'x'))
                OR EXISTS (
                     SELECT FROM pg_rewrite w
                      WHERE w.ev_class = to_regclass(t.relation))
                OR (current_setting('server_version_num')::int < 110000
                    AND EXISTS (
                      SELECT FROM pg_class c
                       WHERE c.oid = to_regclass(t.relation) AND c.relkind = 'p'))
              THEN ''
              ELSE 'ON CONFLICT DO NOTHING'
            END;
    parts := parts || format(
      'p%1$s AS (INSERT INTO %2$s (%3$s) %4$s SELECT %5$s FROM pg_temp.rows_%1$s r %6$s)',
      t.n, t.relation, pg_temp.names(t.columns),
      pg_temp.overriding(t), pg_temp.listed(t.columns, 'r'), skip);
  END LOOP;
  PERFORM pg_temp.write('WITH ' || array_to_string(parts, ', ') || ' SELECT');
EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
  GET STACKED DIAGNOSTICS words = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  PERFORM pg_temp.stop(
    format('A table refuses a row that is to return: %s. %s', words, detail),
    'Rehearse with live at hand (recover --rehearse): '
    'the recovery is then written without the rows that its tables refuse, and names them.');
END $body$;

-- What do rows collide with that were passed over? One of them, put in by itself: it is refused, or
-- something else swallowed it.
CREATE OR REPLACE FUNCTION pg_temp.collision(t targets) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  place tid;
  words text;
  detail text;
BEGIN
  IF cardinality(t.key) = 0 THEN
    RETURN '';
  END IF;
  EXECUTE format(
    'SELECT r.ctid FROM pg_temp.rows_%s r '
    'WHERE NOT EXISTS (SELECT FROM %s t WHERE %s) ORDER BY 1 LIMIT 1',
    t.n, t.source, pg_temp.by_key(t)) INTO place;
  PERFORM pg_temp.write(format(
    'INSERT INTO %s (%s) %s SELECT %s FROM pg_temp.rows_%s r WHERE r.ctid = %L',
    t.relation, pg_temp.names(t.columns), pg_temp.overriding(t),
    pg_temp.listed(t.columns, 'r'), t.n, place));
  RETURN '';
EXCEPTION WHEN integrity_constraint_violation THEN
  GET STACKED DIAGNOSTICS words = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  RETURN format(' For example: %s. %s', words, detail);
END $body$;

-- Is every table what it was, plus exactly the rows that were to return?
CREATE OR REPLACE FUNCTION pg_temp.verify(accept_changes boolean)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  t targets;
  lacking bigint;
  example text;
BEGIN
  FOR t IN SELECT * FROM pg_temp.targets ORDER BY n LOOP
    IF pg_temp.fingerprint(t.source, t.columns)
       = pg_temp.plus(
           t.live_fingerprint,
           pg_temp.fingerprint('pg_temp.rows_' || t.n, t.columns)) THEN
      CONTINUE;
    END IF;
    lacking := t.live_fingerprint[1] + t.expected - pg_temp.rows_in(t.source);
    IF lacking > 0 AND accept_changes THEN
      INSERT INTO pg_temp.left_out
      VALUES (t.relation, 'it collides with a row that is there', lacking, '{}');
    ELSIF lacking > 0 THEN
      example := pg_temp.collision(t);
      IF example = '' AND cardinality(t.key) > 0 THEN
        PERFORM pg_temp.stop(
          format('%s of the %s rows for table %s did not go in, and no constraint refused them.',
                 lacking, t.expected, t.relation),
          'A rule of the table swallows rows. Disable it for the length of this script.');
      END IF;
      PERFORM pg_temp.stop(
        format('%s of the %s rows for table %s collide with rows that are there.%s',
               lacking, t.expected, t.relation, example),
        'Rehearse with live at hand (recover --rehearse), '
        'which leaves them out and names them; '
        'or leave them out now with: psql -v accept_changes=on.');
    ELSE
      PERFORM pg_temp.stop(
        format('Table %s does not hold what was inserted.', t.relation),
        'A rule or a trigger changes rows on their way in. '
        'Disable it for the length of this script.');
    END IF;
  END LOOP;
END $body$;

-- What came back, counted: less than was to, where changes are accepted.
CREATE OR REPLACE FUNCTION pg_temp.brought() RETURNS text LANGUAGE sql AS $body$
  SELECT string_agg(
           format('%s rows into %s',
                  pg_temp.rows_in(t.source) - t.live_fingerprint[1],
                  pg_temp.shown(t.relation)),
           ', ' ORDER BY t.n)
    FROM pg_temp.targets t
$body$;

-- What was left out, for people.
CREATE OR REPLACE FUNCTION pg_temp.what_was_left_out()
RETURNS TABLE ("table" text, rows bigint, "why" text, "for example" text)
LANGUAGE sql AS $body$
  SELECT pg_temp.shown(o.relation),
         o.rows,
         pg_temp.shown(o.reason),
         array_to_string(o.examples, ' ')
    FROM pg_temp.left_out o
   ORDER BY 1, 2 DESC
$body$;

-- Run a statement only where the roles that it names are there, and where it is allowed; say so
-- where not.
CREATE OR REPLACE FUNCTION pg_temp.for_roles(roles text[], statement text)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE lacking text;
BEGIN
  SELECT r INTO lacking
    FROM unnest(roles) r
   WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r)
   LIMIT 1;
  IF lacking IS NULL THEN
    EXECUTE statement;
  ELSE
    RAISE WARNING 'Role % is not there, passed over: %', lacking, statement;
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'Not allowed (%), passed over: %', SQLERRM, statement;
END $body$;

-- Make a part of a dropped table, or say what is in its way and what to do.
CREATE OR REPLACE FUNCTION pg_temp.define(statement text) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  words text;
  state text;
BEGIN
  EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS words = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
  PERFORM pg_temp.stop(
    format('What was dropped cannot be made as it was: %s. The statement is: %s',
           words, left(regexp_replace(statement, '\s+', ' ', 'g'), 200)),
    CASE
      WHEN state IN ('42P07', '42710', '42723', '42P06')
      THEN 'Something else in the database has that name by now: '
           'rename that, and run this script again.'
      WHEN state = '42P17'
      THEN 'Another partition takes a part of its rows by now. '
           'Rehearse with live at hand (recover --rehearse): '
           'the recovery is then written without it.'
      WHEN state = '23514'
      THEN 'Rows that are there break it; '
           'those of a default partition belong into the one that returns. '
           'Move or change them, or rehearse with live at hand (recover --rehearse): '
           'the recovery is then written without that partition.'
      WHEN state = '55P03'
      THEN 'Wait for the long transaction to end (pg_stat_activity names it), '
           'or run this in a quieter hour.'
      WHEN state IN ('42704', '42883', '42P01', '42703', '3F000')
      THEN 'Something that the table needs is gone from the database: '
           'make that again, or leave the table out with recover --table.'
      ELSE 'Change what is in its way, or leave the table out with recover --table.'
    END);
END $body$;

-- Restore a foreign key of a table that was not dropped, where its rows allow.
CREATE OR REPLACE FUNCTION pg_temp.if_rows_allow(statement text)
RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  EXECUTE statement;
EXCEPTION
  WHEN foreign_key_violation THEN
    RAISE WARNING 'Not restored, because rows written since are in its way: %', statement;
  WHEN duplicate_object THEN
    RAISE WARNING 'There already: %', statement;
END $body$;

-- Have a sequence stand past a value, in its direction, where it stands behind and may stand there
-- at all.
CREATE OR REPLACE FUNCTION pg_temp.reach(sequence text, value numeric)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  stands numeric;
  step bigint;
  least_value bigint;
  most bigint;
BEGIN
  SELECT * INTO step, least_value, most FROM pg_temp.course(sequence);
  EXECUTE format(
    'SELECT CASE WHEN is_called THEN last_value ELSE last_value::numeric - $1 END FROM %s',
    sequence) INTO stands USING step;
  IF value BETWEEN least_value AND most AND (value - stands) * step > 0 THEN
    PERFORM setval(sequence::regclass, value::bigint, true);
  END IF;
END $body$;

-- Have the sequence that a column draws from, its own or a shared one, stand past the column's
-- values, and past a value that it had once.
CREATE OR REPLACE FUNCTION pg_temp.past(relation text, name text, once bigint)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  sequence text := pg_temp.drawn(relation, name);
  last numeric;
  way record;
BEGIN
  IF sequence IS NULL THEN
    RETURN;
  END IF;
  PERFORM pg_temp.reach(sequence, once);
  IF NOT pg_temp.keeps_numbers(relation, name) THEN
    RETURN;
  END IF;
  SELECT * INTO way FROM pg_temp.course(sequence);
  EXECUTE format(
    'SELECT %s(t.%I) FROM %s t WHERE t.%I BETWEEN $1 AND $2',
    CASE WHEN way.step > 0 THEN 'max' ELSE 'min' END,
    name, relation, name)
     INTO last
    USING way.least_value, way.most;
  PERFORM pg_temp.reach(sequence, trunc(last));
END $body$;
