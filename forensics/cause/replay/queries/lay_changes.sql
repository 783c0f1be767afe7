-- Lay the changed rows that differ now, and did not before, at a step.
UPDATE {shadow}
   SET {taken} = {step}
 WHERE {taken} IS NULL AND ctid IN (SELECT s.ctid FROM {joined} WHERE {differs})
