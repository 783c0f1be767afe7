-- Which keys do restorable rows hold in some columns? (Asked of the case.)
SELECT DISTINCT {fields} FROM {rows}
 WHERE c.class = 'restorable' AND {filled}
