-- Why do a table's rows not come back, the most frequent reasons first?
SELECT reason, count(*) FROM class_{n} WHERE reason IS NOT NULL
 GROUP BY reason ORDER BY 2 DESC, 1 LIMIT {most}
