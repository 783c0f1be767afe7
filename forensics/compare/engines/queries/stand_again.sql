-- Of these, which stand under a key of another row, that live has?
CREATE TABLE {work}.repeated AS
SELECT DISTINCT s.pair
  FROM (SELECT k.position, n.pair FROM every_key k JOIN {work}.lonely n ON n.line = k.line) s
 WHERE NOT EXISTS (SELECT 1 FROM {work}.odd o WHERE o.position = s.position);

DROP TABLE {work}.lonely;
