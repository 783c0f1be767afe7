-- Which rows have no equal partner, where rows may repeat? Of those that do, the last ones.
CREATE TABLE {work}.surplus AS
SELECT coalesce(b.h, l.h) AS h, coalesce(b.n, 0) - coalesce(l.n, 0) AS n
  FROM (SELECT h, count(*) AS n FROM {work}.ours GROUP BY h) b
  FULL JOIN (SELECT h, count(*) AS n FROM {work}.theirs GROUP BY h) l ON b.h = l.h
 WHERE coalesce(b.n, 0) <> coalesce(l.n, 0);

CREATE TABLE {work}.differ AS
SELECT position, h, NULL::VARCHAR AS line, NULL::VARCHAR AS raw
  FROM (SELECT b.position, b.h, s.n,
               row_number() OVER (PARTITION BY b.h ORDER BY b.position DESC) AS r
          FROM {work}.ours b
          JOIN {work}.surplus s ON s.h = b.h
         WHERE s.n > 0)
 WHERE r <= n
 UNION ALL
SELECT NULL, NULL, line, raw
  FROM (SELECT l.line, l.raw, s.n,
               row_number() OVER (PARTITION BY l.h) AS r
          FROM {work}.theirs l
          JOIN {work}.surplus s ON s.h = l.h
         WHERE s.n < 0)
 WHERE r <= -n;

DROP TABLE {work}.ours;
DROP TABLE {work}.theirs;
DROP TABLE {work}.surplus;
