DECLARE found record;
BEGIN
  FOR found IN
    SELECT DISTINCT c.relkind, format('%I.%I', n.nspname, c.relname) AS name
      FROM unnest({tables}) t
      JOIN pg_depend d
        ON d.refclassid = 'pg_class'::regclass
       AND d.refobjid = to_regclass(t)
       AND d.classid = 'pg_rewrite'::regclass
      JOIN pg_rewrite r ON r.oid = d.objid
      JOIN pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
      JOIN pg_namespace n ON n.oid = c.relnamespace
     ORDER BY 2
  LOOP
    EXECUTE format('DROP %s IF EXISTS %s CASCADE',
                   CASE found.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END,
                   found.name);
  END LOOP;
END
