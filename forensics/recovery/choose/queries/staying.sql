-- Which of a table's rows do not come back, and why? The most frequent reasons first.
SELECT class, reason, count(*) FROM class_{n} WHERE class <> 'restorable'
 GROUP BY class, reason ORDER BY 3 DESC, 2, 1
