-- What have the statistics counted of each table, and when was it first looked after?
SELECT s.schemaname       AS schema,
       s.relname          AS name,
       s.n_tup_ins        AS inserted,
       s.n_tup_del        AS deleted,
       least(s.last_vacuum, s.last_autovacuum, s.last_analyze, s.last_autoanalyze) AS tended,
       d.stats_reset      AS counted_since
  FROM pg_catalog.pg_stat_user_tables s
  JOIN pg_catalog.pg_stat_database d ON d.datname = current_database()
