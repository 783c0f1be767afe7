-- What do the statements below have in common? Functions and tables of this session only: nothing
-- of them stays behind.

-- Names are quoted throughout; people need the quotes only where PostgreSQL does.
CREATE OR REPLACE FUNCTION pg_temp.shown(words text) RETURNS text LANGUAGE sql AS $body$
  SELECT regexp_replace(words, '"([a-z_][a-z0-9_$]*)"', '\1', 'g')
$body$;

CREATE OR REPLACE FUNCTION pg_temp.stop(message text, hint text)
RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION USING
    MESSAGE = pg_temp.shown(message),
    HINT = hint || ' Nothing was changed.';
END $body$;

-- A table that this script writes to, and what is known of it; source is where its own rows are
-- read from. n numbers the temporary table rows_N with what was recovered.
-- says: the columns, of a table of links, in which another row that is equal is the same link.
CREATE TEMP TABLE targets (
  n int PRIMARY KEY,
  relation text,
  source text,
  created boolean,
  columns text[],
  key text[],
  expected bigint,
  live_rows bigint,
  live_fingerprint numeric[],
  says text[]) ON COMMIT DROP;

-- A reference from rows_N to rows of parent, which come from rows_PARENT_N too where the parent's
-- rows return themselves.
CREATE TEMP TABLE links (
  n int,
  columns text[],
  parent text,
  parent_columns text[],
  parent_n int) ON COMMIT DROP;

-- Triggers and rules of the application, as they were set before they were put to sleep.
CREATE TEMP TABLE sleeping (
  relation text,
  kind text,
  name text,
  mode "char",
  depth int) ON COMMIT DROP;

CREATE OR REPLACE FUNCTION pg_temp.listed(columns text[], alias text)
RETURNS text LANGUAGE sql AS $body$
  SELECT coalesce(string_agg(alias || '.' || quote_ident(c), ', ' ORDER BY i), '')
    FROM unnest(columns) WITH ORDINALITY u(c, i)
$body$;

CREATE OR REPLACE FUNCTION pg_temp.names(columns text[]) RETURNS text LANGUAGE sql AS $body$
  SELECT string_agg(quote_ident(c), ', ' ORDER BY i)
    FROM unnest(columns) WITH ORDINALITY u(c, i)
$body$;

CREATE OR REPLACE FUNCTION pg_temp.same(columns text[], a text, other text[], b text)
RETURNS text LANGUAGE sql AS $body$
  SELECT string_agg(
           a || '.' || quote_ident(columns[i]) || ' = ' || b || '.' || quote_ident(other[i]),
           ' AND ' ORDER BY i)
    FROM generate_subscripts(columns, 1) i
$body$;

-- A table as a FROM item: without the tables that inherit from it, for which its keys do not hold;
-- with its partitions.
CREATE OR REPLACE FUNCTION pg_temp.rows_of(relation regclass)
RETURNS text LANGUAGE sql AS $body$
  SELECT CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY ' END || relation::text
    FROM pg_class c
   WHERE c.oid = relation
$body$;

-- Rows, and two sums over the ends of the hash of each row's text: sums of disjoint sets of rows
-- add up.
CREATE OR REPLACE FUNCTION pg_temp.fingerprint(relation text, columns text[])
RETURNS numeric[] LANGUAGE plpgsql AS $body$
DECLARE found numeric[];
BEGIN
  EXECUTE format(
    'SELECT array[count(*), '
    'coalesce(sum((''x'' || left(h, 16))::bit(64)::bigint::numeric), 0), '
    'coalesce(sum((''x'' || right(h, 16))::bit(64)::bigint::numeric), 0)] '
    'FROM (SELECT pg_temp.hash(ROW(%s)::text) AS h FROM %s t) s',
    pg_temp.listed(columns, 't'), relation) INTO found;
  RETURN found;
END $body$;

CREATE OR REPLACE FUNCTION pg_temp.plus(a numeric[], b numeric[])
RETURNS numeric[] LANGUAGE sql AS $body$
  SELECT array[a[1] + b[1], a[2] + b[2], a[3] + b[3]]
$body$;

CREATE OR REPLACE FUNCTION pg_temp.count_of(statement text)
RETURNS bigint LANGUAGE plpgsql AS $body$
DECLARE found bigint;
BEGIN
  EXECUTE statement INTO found;
  RETURN found;
END $body$;

CREATE OR REPLACE FUNCTION pg_temp.rows_in(relation text) RETURNS bigint LANGUAGE sql AS $body$
  SELECT pg_temp.count_of('SELECT count(*) FROM ' || relation)
$body$;

-- Equal rows as one, a FROM item: the hash h of their text, and how many there are, n.
CREATE OR REPLACE FUNCTION pg_temp.copies(relation text, columns text[])
RETURNS text LANGUAGE sql AS $body$
  SELECT format(
    '(SELECT pg_temp.hash(ROW(%s)::text) AS h, count(*) AS n FROM %s x GROUP BY 1)',
    pg_temp.listed(columns, 'x'), relation)
$body$;

-- The condition that a row t of a table has the key of a recovered row r.
CREATE OR REPLACE FUNCTION pg_temp.by_key(t targets) RETURNS text LANGUAGE sql AS $body$
  SELECT pg_temp.same(t.key, 't', t.key, 'r')
$body$;

-- Are the tables that live dropped still gone ('absent'), or are all of them there again
-- ('present')?
CREATE OR REPLACE FUNCTION pg_temp.standing(relations text[])
RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  there text[];
  other text;
BEGIN
  SELECT coalesce(array_agg(r ORDER BY r), '{}') INTO there
    FROM unnest(relations) r
   WHERE to_regclass(r) IS NOT NULL;
  SELECT r INTO other
    FROM unnest(there) r
    JOIN pg_class c ON c.oid = to_regclass(r)
   WHERE c.relkind NOT IN ('r', 'p')
   LIMIT 1;
  IF other IS NOT NULL THEN
    PERFORM pg_temp.stop(
      format('%s is no table any more.', other),
      'Something else took the name of a dropped table: rename that, '
      'or leave the table out with recover --table.');
  END IF;
  IF cardinality(there) = 0 THEN
    RETURN 'absent';
  END IF;
  IF cardinality(there) < cardinality(relations) THEN
    PERFORM pg_temp.stop(
      format('Some of the dropped tables are there again and some are not: %s is.', there[1]),
      'The database changed since it was compared. '
      'Compare again, and write the recovery anew.');
  END IF;
  RETURN 'present';
END $body$;

-- Does live still have the table, and the columns that rows are written to or referred to by, as
-- they were?
CREATE OR REPLACE FUNCTION pg_temp.expect_columns(
  relation text,
  names text[],
  types text[],
  since text DEFAULT 'when compared',
  hint text DEFAULT 'The database changed since it was compared. '
                    'Compare again, and write the recovery anew.')
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE wrong record;
BEGIN
  IF to_regclass(relation) IS NULL THEN
    PERFORM pg_temp.stop(format('Table %s is gone; it was there %s.', relation, since), hint);
  END IF;
  SELECT e.name, e.type, format_type(a.atttypid, a.atttypmod) AS now INTO wrong
    FROM unnest(names, types) e(name, type)
    LEFT JOIN pg_attribute a
      ON a.attrelid = to_regclass(relation)
     AND a.attname = e.name
     AND a.attnum > 0
     AND NOT a.attisdropped
   WHERE a.attname IS NULL
      OR format_type(a.atttypid, a.atttypmod) <> e.type  -- NULL: any type will do
   LIMIT 1;
  IF FOUND THEN
    PERFORM pg_temp.stop(
      format('Column %s.%I is %s; it was %s %s.',
             relation, wrong.name,
             coalesce(wrong.now, 'gone'), coalesce(wrong.type, 'there'), since),
      hint);
  END IF;
END $body$;

-- Keep other writers out of a table, or readers too, until this ends; not waiting for long,
-- because everybody else would wait behind.
CREATE OR REPLACE FUNCTION pg_temp.lock(relation text, mode text)
RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  EXECUTE format('LOCK TABLE %s IN %s MODE', relation, mode);
EXCEPTION WHEN lock_not_available THEN
  PERFORM pg_temp.stop(
    format('Somebody else has been using table %s for too long: '
           'it could not be locked within %s.',
           relation, current_setting('lock_timeout')),
    'Wait for the long transaction to end (pg_stat_activity names it), '
    'or run this in a quieter hour.');
END $body$;

-- How many of the rows to be recovered does the table hold? By key; or else as copies of equal
-- rows.
CREATE OR REPLACE FUNCTION pg_temp.held(t targets) RETURNS bigint LANGUAGE plpgsql AS $body$
BEGIN
  IF cardinality(t.key) > 0 THEN
    RETURN pg_temp.count_of(format(
      'SELECT count(*) FROM pg_temp.rows_%s r JOIN %s t ON %s',
      t.n, t.source, pg_temp.by_key(t)));
  END IF;
  RETURN pg_temp.count_of(format(
    'SELECT coalesce(sum(least(r.n, t.n)), 0) FROM %s r JOIN %s t ON t.h = r.h',
    pg_temp.copies('pg_temp.rows_' || t.n, t.columns),
    pg_temp.copies(t.source, t.columns)));
END $body$;

-- Does a table that was not dropped stand as it was when compared?
CREATE OR REPLACE FUNCTION pg_temp.unchanged(t targets) RETURNS boolean LANGUAGE sql AS $body$
  SELECT CASE
           WHEN t.live_fingerprint IS NULL
           THEN pg_temp.rows_in(t.source) = t.live_rows
           ELSE pg_temp.fingerprint(t.source, t.columns) = t.live_fingerprint
         END
$body$;

-- The same, with the recovered rows on top.
CREATE OR REPLACE FUNCTION pg_temp.recovered(t targets) RETURNS boolean LANGUAGE sql AS $body$
  SELECT CASE
           WHEN t.live_fingerprint IS NULL
           THEN pg_temp.rows_in(t.source)
                = t.live_rows + pg_temp.rows_in('pg_temp.rows_' || t.n)
           ELSE pg_temp.fingerprint(t.source, t.columns)
                = pg_temp.plus(
                    t.live_fingerprint,
                    pg_temp.fingerprint('pg_temp.rows_' || t.n, t.columns))
         END
$body$;

-- What checks, generated columns and indexes call may look things up by the session's own search
-- path. Nothing of ours may.
CREATE OR REPLACE FUNCTION pg_temp.write(statement text)
RETURNS bigint LANGUAGE plpgsql AS $body$
DECLARE written bigint;
BEGIN
  PERFORM pg_catalog.set_config(
    'search_path', pg_catalog.current_setting('forensics.search_path'), true);
  EXECUTE statement;
  GET DIAGNOSTICS written = ROW_COUNT;
  PERFORM pg_catalog.set_config('search_path', '', true);
  RETURN written;
END $body$;

-- The application's own triggers and rules sleep while rows return as they were; they wake up as
-- they were. Those of a partitioned table are set in its partitions with it, where they may have
-- been set otherwise, and partitions have some of their own.
CREATE OR REPLACE FUNCTION pg_temp.sleep(relation text) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE found record;
BEGIN
  FOR found IN
    WITH RECURSIVE tree AS (
      SELECT to_regclass(relation)::oid AS part, 0 AS depth
      UNION ALL
      SELECT i.inhrelid, t.depth + 1
        FROM tree t
        JOIN pg_class c ON c.oid = t.part AND c.relkind = 'p'
        JOIN pg_inherits i ON i.inhparent = t.part)
    SELECT t.part::regclass::text AS relation,
           'TRIGGER' AS kind,
           g.tgname AS name,
           g.tgenabled AS mode,
           t.depth
      FROM tree t
      JOIN pg_trigger g ON g.tgrelid = t.part
     WHERE NOT g.tgisinternal
       AND (g.tgenabled <> 'D' OR t.depth > 0)
    UNION ALL
    SELECT w.ev_class::regclass::text, 'RULE', w.rulename, w.ev_enabled, 0
      FROM pg_rewrite w
     WHERE w.ev_class = to_regclass(relation)
       AND w.ev_type <> '1'
       AND w.ev_enabled <> 'D'
     ORDER BY depth, relation, kind, name
  LOOP
    INSERT INTO pg_temp.sleeping
    VALUES (found.relation, found.kind, found.name, found.mode, found.depth);
    IF found.mode <> 'D' THEN
      EXECUTE format('ALTER TABLE %s %s DISABLE %s %I',
                     CASE WHEN found.depth > 0 THEN 'ONLY' END,
                     found.relation, found.kind, found.name);
    END IF;
  END LOOP;
END $body$;

CREATE OR REPLACE FUNCTION pg_temp.wake() RETURNS void LANGUAGE plpgsql AS $body$
DECLARE found record;
BEGIN
  SET CONSTRAINTS ALL IMMEDIATE;
  FOR found IN
    SELECT * FROM pg_temp.sleeping s ORDER BY s.depth, s.relation, s.kind, s.name
  LOOP
    EXECUTE format('ALTER TABLE %s %s %s %s %I',
                   CASE WHEN found.depth > 0 THEN 'ONLY' END,
                   found.relation,
                   CASE found.mode
                     WHEN 'D' THEN 'DISABLE'
                     WHEN 'R' THEN 'ENABLE REPLICA'
                     WHEN 'A' THEN 'ENABLE ALWAYS'
                     ELSE 'ENABLE'
                   END,
                   found.kind, found.name);
  END LOOP;
  DELETE FROM pg_temp.sleeping;
END $body$;

-- How does a sequence go on: by which step, between which values? (Servers before 10 keep that in
-- the sequence itself.)
CREATE OR REPLACE FUNCTION pg_temp.course(
  sequence text, OUT step bigint, OUT least_value bigint, OUT most bigint)
LANGUAGE plpgsql AS $body$
BEGIN
  EXECUTE CASE
            WHEN to_regclass('pg_catalog.pg_sequence') IS NULL
            THEN format('SELECT increment_by, min_value, max_value FROM %s', sequence)
            ELSE format('SELECT seqincrement, seqmin, seqmax FROM pg_catalog.pg_sequence '
                        'WHERE seqrelid = %L::regclass', sequence)
          END
     INTO step, least_value, most;
END $body$;

-- The sequence that a column draws from, its own or a shared one.
CREATE OR REPLACE FUNCTION pg_temp.drawn(relation text, name text)
RETURNS text LANGUAGE sql AS $body$
  SELECT coalesce(
    pg_get_serial_sequence(relation, name),
    (SELECT format('%I.%I', n.nspname, s.relname)
       FROM pg_attrdef e
       JOIN pg_attribute a
         ON a.attrelid = e.adrelid
        AND a.attnum = e.adnum
        AND a.attname = name
       JOIN pg_depend d
         ON d.classid = 'pg_attrdef'::regclass
        AND d.objid = e.oid
        AND d.refclassid = 'pg_class'::regclass
       JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
       JOIN pg_namespace n ON n.oid = s.relnamespace
      WHERE e.adrelid = to_regclass(relation)
      LIMIT 1))
$body$;

-- Is what a column draws from its sequence kept as that number? A column of another type makes
-- something of it ('INV-' || nextval(…)), which nobody can read back.
CREATE OR REPLACE FUNCTION pg_temp.keeps_numbers(relation text, name text)
RETURNS boolean LANGUAGE sql AS $body$
  SELECT EXISTS (
    SELECT FROM pg_attribute a
      JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = to_regclass(relation)
       AND a.attname = name
       AND coalesce(nullif(t.typbasetype, 0), t.oid) IN (
             'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype))
$body$;
