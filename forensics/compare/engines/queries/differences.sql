-- How many whole rows has only the backup, and how many only live?
SELECT coalesce(sum(greatest(n, 0)), 0)::BIGINT, coalesce(sum(greatest(-n, 0)), 0)::BIGINT
  FROM (SELECT sum(n) AS n
          FROM (SELECT line, 1 AS n FROM {work}.ours
                 UNION ALL
                SELECT line, -1 FROM {work}.theirs)
         GROUP BY line
        HAVING sum(n) <> 0)
