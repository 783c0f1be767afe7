-- Who answers, as whom, from which snapshot, and is it a standby?
SELECT current_setting('server_version')     AS server_version,
       current_setting('server_version_num')::int AS version,
       current_database()                    AS database,
       current_user                          AS role,
       pg_encoding_to_char(d.encoding)       AS encoding,
       clock_timestamp()                     AS taken_at,
       pg_is_in_recovery()                   AS standby,
       version() LIKE '%PGlite%'             AS alone,
       extract(epoch FROM pg_postmaster_start_time())::text AS server,
       (SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout')
                                             AS statement_milliseconds,
       pg_export_snapshot()                  AS snapshot
  FROM pg_database d
 WHERE d.datname = current_database()
