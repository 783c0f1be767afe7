-- Numbers are text from end to end: nothing passes through a float, no integer column with a NULL turns into one.
CREATE TABLE far (id bigint PRIMARY KEY, n bigint, big numeric);
INSERT INTO far SELECT 9007199254740992 + i, CASE WHEN i % 3 = 0 THEN NULL ELSE 9223372036854775807 - i END, 123456789012345678901234567890.000000001 + i FROM generate_series(0, 49) i;
CREATE TABLE floats (id int PRIMARY KEY, f4 real, f8 double precision, n numeric);
INSERT INTO floats VALUES (1, '0', '0', '0'), (2, 'NaN', 'NaN', 'NaN'), (3, 'Infinity', '-Infinity', 'Infinity'), (4, 0.1, 0.1, 0.1), (5, 1e-40, 5e-324, 1e-300), (6, 1, 1, 1.50);
CREATE TABLE amounts (id int PRIMARY KEY, m money, n numeric(12, 2)); INSERT INTO amounts SELECT i, i * 1000.01::numeric::money, i * 0.01 FROM generate_series(1, 30) i;
