-- The rows of the backup that live has no row for, and their keys as lines.
CREATE TABLE {work}.lonely AS
SELECT b.pair, {line} AS line
  FROM {work}.b b
 WHERE NOT EXISTS (SELECT 1 FROM {work}.both_sides m WHERE m.pair = b.pair)
