-- How many links name another row than the backup's?
SELECT count(*) FROM pg_temp.meant m JOIN {rows} t ON {same}
 WHERE NOT ({alike})
