-- In how many rows do columns not hold the backup's values?
SELECT count(*) FROM pg_temp.expected_values v JOIN {rows} t ON {same}
 WHERE ROW({theirs})::text <> ROW({ours})::text
