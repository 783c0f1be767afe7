-- Text is compared as it stands: nothing trimmed, folded or normalised, and whatever order it comes in.
CREATE TABLE t (id text PRIMARY KEY, v text, c char(8));
INSERT INTO t SELECT left(md5(i::text), 6), 'v' || i, 'c' || i FROM generate_series(1, 200) i;
INSERT INTO t VALUES ('a', U&'\00e9', 'x'), ('A', U&'e\0301', 'x'), ('ä', 'x ', 'x'), ('z', ' x', 'x'), ('Z', U&'\00a0', 'x'), ('ß', U&'\200b', 'x'), ('ss', U&'\feff', 'x'), ('Å', U&'\+01f642', 'x');
CREATE TABLE folded (code text NOT NULL, n int, UNIQUE (code, n)); INSERT INTO folded SELECT chr(96 + i % 26 + 1), i FROM generate_series(1, 90) i;
