-- How many rows refer to no row of a table?
SELECT count(*) FROM {child} c
 WHERE {filled} AND NOT EXISTS (SELECT FROM {parent} p WHERE {same})
