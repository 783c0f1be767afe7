-- Which of live's rows were added, and which changed? The added ones' numbers follow the backup's.
SELECT coalesce(m.pair, {backup} + l.n) AS pair,
       CASE WHEN m.n IS NULL THEN 'added' ELSE 'changed' END AS state,
       l.raw
  FROM {work}.l l
  LEFT JOIN {work}.both_sides m ON m.n = l.n
