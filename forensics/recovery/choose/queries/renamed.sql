-- Which blocked rows refer to one that is not gone, but has another key by now?
UPDATE class_{n} SET reason = 'a row that it refers to lives on under another key'
 WHERE class = 'blocked' AND pair IN (SELECT pair FROM elsewhere.renamed_{n})
