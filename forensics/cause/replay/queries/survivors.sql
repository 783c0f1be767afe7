-- By step, how many of the rows that it took stand in another table at the end?
SELECT w.{taken} AS step, count(*) AS n
  FROM {keep} w
 WHERE w.{taken} > 0 AND EXISTS (SELECT 1 FROM {other} o WHERE {pairs})
 GROUP BY 1
