-- For rows without a key: how often is their like in the table?
UPDATE {keep} w
   SET {repeats} = n.c
  FROM (SELECT {image} AS i, count(*) AS c FROM {rows} t GROUP BY 1) n
 WHERE n.i = {own}
