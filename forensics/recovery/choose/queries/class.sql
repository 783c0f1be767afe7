-- Which rows are missing? All can return, as long as nothing is known of their parents.
CREATE OR REPLACE TEMP TABLE class_{n} AS
SELECT pair, 'restorable' AS class, NULL::VARCHAR AS reason FROM ({source})
