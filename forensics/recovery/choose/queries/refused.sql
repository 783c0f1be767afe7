-- Which restorable rows, by their place among these, did a copy of live refuse?
UPDATE class_{n} c SET class = 'conflicting', reason = x.reason
  FROM (SELECT pair, row_number() OVER (ORDER BY pair) - 1 AS place
          FROM class_{n} WHERE class = 'restorable') o
  JOIN refused x ON x.place = o.place
 WHERE c.pair = o.pair
