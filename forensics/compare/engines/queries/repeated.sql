-- Which of the backup's rows stand under a key that an earlier one has?
CREATE TABLE {work}.repeated AS
SELECT pair
  FROM (SELECT pair, row_number() OVER (PARTITION BY {key} ORDER BY pair) AS r FROM {work}.b)
 WHERE r > 1
