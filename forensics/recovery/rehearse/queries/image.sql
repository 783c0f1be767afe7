-- How often is each row of a table there?
CREATE TEMP TABLE {table} AS
SELECT {hash} AS h, count(*) AS n FROM {source} t GROUP BY 1
