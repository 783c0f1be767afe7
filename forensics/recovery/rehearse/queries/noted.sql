-- How often is there which of these, before a migration?
CREATE TABLE "{schema}".{table} AS
SELECT {hash} AS h, count(*) AS n FROM {source} t WHERE {condition} GROUP BY 1
