-- Rows that only repeat a key are neither missing nor changed.
DELETE FROM {work}.both_sides WHERE pair IN (SELECT pair FROM {work}.repeated);
DELETE FROM {work}.b WHERE pair IN (SELECT pair FROM {work}.repeated);
DROP TABLE {work}.repeated;
