CREATE TYPE mood AS ENUM ('sad', 'it''s; ok');
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  v text, b boolean, n numeric, ba bytea,
  bits bit(3), m mood, arr text[],
  up text GENERATED ALWAYS AS (upper(v)) STORED, "odd ""name"", x" json);
INSERT INTO t (v, b, n, ba, bits, m, arr, "odd ""name"", x")
SELECT (array[NULL, '', '\N', '\.',
  E'tab\t nl\n cr\r bs\b ff\f vt\v', 'it''s; $$ -- /* "q"', E'back\\slash\\',
  'COPY public.t (id) FROM stdin;', 'ünï 🙂 東京'])[1 + i % 9],
  i % 3 = 0, (array['NaN', '-Infinity', '1.50', '-0.001', '1e20'])[1 + i % 5]::numeric,
  decode(md5(i::text), 'hex'), (i % 8)::bit(3),
  (enum_range(null::mood))[1 + i % 2], array['a,b', NULL, E'q"\\'], json_build_object('k', i)
FROM generate_series(1, 90) i;
CREATE TABLE blank (t text);
INSERT INTO blank VALUES (''), (NULL), (''), (E'\\.'), ('COPY blank (t) FROM stdin;');
CREATE TABLE bare (); INSERT INTO bare SELECT FROM generate_series(1, 3);
CREATE TABLE empty (id int PRIMARY KEY);
CREATE TABLE p (id int, r text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a');
CREATE TABLE p_b (r text NOT NULL, id int NOT NULL);
ALTER TABLE p ATTACH PARTITION p_b FOR VALUES IN ('b');
INSERT INTO p SELECT i, (array['a', 'b'])[1 + i % 2] FROM generate_series(1, 40) i;
CREATE TABLE above (one int, two text NOT NULL); CREATE TABLE above_too (three int, two text);
CREATE TABLE below (three int, own text, one int NOT NULL) INHERITS (above, above_too);
INSERT INTO below SELECT i, 'b' || i, 2 * i, 'o' || i FROM generate_series(1, 10) i;
CREATE FUNCTION talk(x text DEFAULT ';') RETURNS text LANGUAGE plpgsql AS $body$
begin
  -- a line that looks like data
  perform 'COPY public.blank (t) FROM stdin;
fooled
\.
'; return $q$;$q$;
end $body$;
CREATE FUNCTION atomic(x int) RETURNS int LANGUAGE sql
BEGIN ATOMIC SELECT CASE WHEN x > 1 THEN 2 ELSE 3 END; SELECT x; END;
CREATE PROCEDURE proc() LANGUAGE sql
BEGIN ATOMIC DELETE FROM blank WHERE t = ';'; DELETE FROM empty; END;
CREATE VIEW v AS SELECT id AS begin FROM t;
CREATE RULE r AS ON INSERT TO empty DO ALSO
(INSERT INTO blank VALUES ('x;'); DELETE FROM blank WHERE t = 'x;');
COMMENT ON TABLE t IS E'a /* comment; with
COPY public.blank (t) FROM stdin;
fooled
\\.
';
