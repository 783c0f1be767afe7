-- How many rows were written to this database's tables, as far as its statistics tell?
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint     AS rows,
       (SELECT stats_reset
          FROM pg_catalog.pg_stat_database
         WHERE datname = current_database())                           AS counted_since
  FROM pg_catalog.pg_stat_user_tables
