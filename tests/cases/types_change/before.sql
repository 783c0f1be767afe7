-- A column whose type changed is compared by value where the cast loses nothing.
CREATE TABLE t (id int PRIMARY KEY, j json, u text, c char(8), n numeric(10, 2), d date, v varchar(9), keyed int);
INSERT INTO t SELECT i, json_build_object('bb', i, 'a', 1.50), upper(md5(i::text)), 'c' || i, i / 4.0, date '2025-01-01' + i, 'v' || i, i FROM generate_series(1, 60) i;
CREATE TABLE keyed (id text PRIMARY KEY, v int); INSERT INTO keyed SELECT upper(md5(i::text)), i FROM generate_series(1, 40) i;
CREATE TABLE wide (id int PRIMARY KEY, v int); INSERT INTO wide SELECT i, i FROM generate_series(1, 40) i;
