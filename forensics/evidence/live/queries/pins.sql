-- Under which settings do a transaction's answers mean the same everywhere, and who gives them?
-- Later versions know limits that would end a transaction that only holds a snapshot.
SELECT {settings},
       (SELECT pg_catalog.count(pg_catalog.set_config(s.name, '0', true))
          FROM pg_catalog.pg_settings s
         WHERE s.name IN ('transaction_timeout', 'idle_session_timeout')) AS without_limit,
       extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text AS server
