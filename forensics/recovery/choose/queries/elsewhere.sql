-- Which rows does live hold under another key, or in another table of their family?
-- Where it says something else of them by now, they are in the way of the old ones.
UPDATE class_{n} c
   SET class = CASE WHEN e.equal THEN e.class WHEN e.class = 'likely' THEN 'blocked'
                    ELSE 'conflicting' END,
       reason = CASE WHEN e.class = 'likely'
                THEN 'live may hold it under another key: a row there has most of its values'
                WHEN NOT e.equal AND e.class = 'moved'
                THEN 'live holds it in ' || e.place || ', with other values'
                WHEN NOT e.equal
                THEN 'live holds it under another key, with other values' END
  FROM elsewhere.rows_{n} e
 WHERE e.pair = c.pair AND c.class IN ('restorable', 'blocked')
