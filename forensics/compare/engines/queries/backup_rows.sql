-- Which of the backup's rows are missing, and which changed?
SELECT b.pair, CASE WHEN m.pair IS NULL THEN 'missing' ELSE 'changed' END AS state, b.raw
  FROM {work}.b b
  LEFT JOIN {work}.both_sides m ON m.pair = b.pair
