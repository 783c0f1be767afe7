-- Which rows have no equal partner, where no row repeats?
CREATE TABLE {work}.differ AS
SELECT b.position, b.h, l.line, l.raw
  FROM (SELECT line, raw, md5_number(line) AS h FROM theirs) l
  FULL JOIN (SELECT position, md5_number(line) AS h FROM ours) b ON l.h = b.h
 WHERE l.h IS NULL OR b.h IS NULL
