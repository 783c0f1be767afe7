-- Every built-in type that can stand in a column, with arrays, ranges and types of one's own.
CREATE TYPE pair AS (a int, b text); CREATE DOMAIN small AS int CHECK (value < 1000); CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE floats AS RANGE (subtype = float8);
CREATE TABLE t (id int PRIMARY KEY, b bit(4), vb bit varying, bo boolean, bx box, by bytea, ch char(3), "c" "char", ci cidr, cl circle, d date, f4 real, f8 float8, ip inet, i2 smallint, i8 bigint,
  iv interval, ivm interval year to month, j json, jb jsonb, jp jsonpath, li line, ls lseg, m macaddr, m8 macaddr8, mo money, n name, nu numeric, o oid, pa path, lsn pg_lsn, po point, pg polygon, rc regclass, rt regtype,
  t text, ti time, tt timetz, ts timestamp, tz timestamptz, tid tid, tsq tsquery, tsv tsvector, u uuid, v varchar(9), x8 xid8, r4 int4range, r8 int8range, rn numrange, rts tsrange, rtz tstzrange, rd daterange,
  mr int4multirange, mrtz tstzmultirange, own floats, p pair, ps pair[], s small, ss small[], mo2 mood, mos mood[], a int[], a2 text[][], bxs box[], low int[]);
INSERT INTO t SELECT i, i::bit(4), i::bit(9)::varbit, i % 2 = 0, box(point(i, 1), point(0, i)), int4send(i), 'c' || i % 9, 'q', '10.0.0.0/8', circle(point(i, i), i), date '2025-01-01' + i, i / 3.0, i / 7.0, '10.0.0.1/24',
  i, i, make_interval(days => i, secs => i / 8.0), '1 year 2 mons', '{"a": 1,  "b": [null]}', '{"b": 1, "a": 2.50}', '$.a[*] ? (@ > 1)', '{1,-1,0}', lseg(point(0, 0), point(i, 1)), '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
  i * 1.5::numeric::money, 'name' || i, i / 9.0, i, '[(0,0),(1,1)]', '16/B374D848', point(i, -0.5), '((0,0),(1,1),(2,0))', 'pg_class', 'int4', 't' || i, '10:00:00.5', '10:00:00.5+05:30', '2025-01-01 00:00:00.000001', 'infinity',
  '(1,2)', 'cat & !dog', 'cat:3A fat:2', md5(i::text)::uuid, 'v' || i, '42', int4range(i, i + 3), 'empty', numrange(0.5, NULL), '(,2025-01-01 00:00:00)', '[2025-03-30 01:30:00+00,)', '[2025-01-01,2025-02-01)',
  '{[1,3),[5,8)}', '{[2025-03-30 01:30:00+00,2025-03-31 01:30:00+00)}', floats(i / 3.0, NULL), row(i, 'a "b"')::pair, array[row(1, NULL)::pair, NULL], i, array[1, NULL]::small[], 'ok', '{sad,NULL}', array[i, NULL], '{{"a,b",NULL},{"","q\"x"}}',
  '{(1,1),(0,0);(2,2),(1,1)}', '[0:1]={7,8}' FROM generate_series(1, 60) i;
